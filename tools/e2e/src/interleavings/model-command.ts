import {
  deployInfra,
  type HandoffClients,
  type Published,
  promoteImage,
  prune,
  releaseImage,
  rollbackTo,
} from "@workspace/handoff";
import { type ImageTag, initialTag } from "@workspace/shared-config";
import { buildAwsError } from "./aws-answer.ts";
import { buildContent, initialDigest } from "./contents.ts";
import { fns, type ModelStage } from "./model-world.ts";

/** The part of `@workspace/handoff` that the model runs: the real one, or one with a safeguard deleted. */
export interface Protocol {
  readonly deployInfra: typeof deployInfra;
  readonly promoteImage: typeof promoteImage;
  readonly prune: typeof prune;
  readonly releaseImage: typeof releaseImage;
  readonly rollbackTo: typeof rollbackTo;
}

export const protocol: Protocol = { deployInfra, promoteImage, prune, releaseImage, rollbackTo };

/** One command as a person or CI would start it. */
export type ModelCommand =
  | {
      readonly kind: "release";
      readonly stage: ModelStage;
      readonly content: number;
      readonly canary: boolean;
    }
  | { readonly kind: "rollback"; readonly stage: ModelStage; readonly to?: ImageTag }
  | {
      readonly kind: "deploy";
      readonly stage: ModelStage;
      readonly memoryMiB: number;
      readonly fails: boolean;
    }
  | { readonly kind: "promote"; readonly stage: "prod" }
  | { readonly kind: "prune"; readonly stage: ModelStage };

/** Calls of the steps that are outside of the hand-off. */
export type OutsideCall = (operation: string, input: object, signal?: AbortSignal) => Promise<object>;

/** Runs the command through the hand-off; rejects as the command would fail. */
export function runModelCommand(
  command: ModelCommand,
  handoff: Protocol,
  clients: HandoffClients,
  outside: OutsideCall,
): Promise<unknown> {
  const fn = fns[command.stage];
  const { repositoryName: repository } = fn;
  const smokeEvent = "{}";
  switch (command.kind) {
    case "release": {
      const { tag, contentTag, digest, isIndex } = buildContent(command.content);
      return handoff.releaseImage(clients, fn, {
        tag,
        contentTag,
        smokeEvent,
        ...(command.canary && { canary: { percent: 10, bakeMs: 20_000 } }),
        push: async ({ contentTag: pushTag }) => {
          await outside("PushImage", { repository, tag: pushTag, digest, isIndex });
        },
      });
    }
    case "rollback":
      return handoff.rollbackTo(clients, fn, { to: command.to, findSmokeEvent: async () => smokeEvent });
    case "promote": {
      const from = { clients, fn: fns.dev };
      return handoff.promoteImage(
        from,
        { clients, fn },
        {
          smokeEvent,
          checkSource: async () => {},
          copyImage: async ({ sourceUri, targetUri }) => {
            const digest = sourceUri.replace(/^.*@/, "");
            const tag = targetUri.replace(/^.*:/, "");
            await outside("PushImage", { repository, tag, digest, isIndex: false });
          },
        },
      );
    }
    case "prune":
      return handoff.prune(clients, fn, { keepReleases: 1 });
    case "deploy":
      return handoff.deployInfra(clients, fn, {
        smokeEvent,
        deployStacks: (published, _signal, guard) =>
          deployStacks(command, published, clients, (operation, input) =>
            operation === "StartStack"
              ? guard(({ abortSignal }) => outside(operation, input, abortSignal))
              : outside(operation, input),
          ),
      });
  }
}

/**
 * What `deploy` does with the tag: repository, placeholder, and the change set of the function's stack, which it waits
 * for.
 */
async function deployStacks(
  { stage, memoryMiB, fails }: Extract<ModelCommand, { kind: "deploy" }>,
  published: Published,
  clients: HandoffClients,
  outside: OutsideCall,
): Promise<void> {
  const { repositoryName: repository, stackName } = fns[stage];
  await outside("CreateRepository", { repository });
  if (published.kind === "initial") {
    await outside("PushImage", { repository, tag: initialTag, digest: initialDigest, isIndex: false });
  }
  const tag = published.kind === "published" ? published.tag : initialTag;
  const template = { imageUri: `registry.example/${repository}:${tag}`, memoryMiB };
  await outside("StartStack", { stackName, template, fails });
  for (;;) {
    const answer = await outside("DescribeStacks", { StackName: stackName });
    const {
      Stacks: [stack],
    } = answer as { Stacks: [{ StackStatus: string }] };
    if (!stack.StackStatus.endsWith("_IN_PROGRESS")) {
      if (/^(CREATE|UPDATE)_COMPLETE$/.test(stack.StackStatus)) return;
      throw buildAwsError("StackFailed", stack.StackStatus);
    }
    await clients.clock.wait(3_000);
  }
}
