import {
  buildHandoffClients,
  type CopyProps,
  findEvent,
  type PromoteResult,
  type PromotionSide,
  type PromotionSource,
  planPromotion,
  promoteImage,
  refuseOtherAccount,
  smokeEventPath,
} from "@workspace/handoff";
import {
  CodedError,
  type ImageTag,
  parseFunction,
  parseStage,
  type Stage,
  splitImageTag,
  stageNames,
} from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { addCanaryOptions, buildCanary, type CanaryOptions } from "../canary-options.ts";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import { isAncestor } from "../git/is-ancestor.ts";
import { usage } from "../options.ts";
import type { AddCommand } from "../program.ts";
import { copyImage, copyReferrers } from "../registry/copy-image.ts";
import { createRegistryClient, type RegistryClient } from "../registry/registry-client.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";
import { describeVersion } from "../terminal/describe-live.ts";

interface PromoteOptions extends SharedOptions, CanaryOptions {
  readonly from: Stage;
  readonly to: Stage;
  readonly fromProfile?: string;
  readonly fromRegion?: string;
  readonly toProfile?: string;
  readonly commit?: string;
  readonly allowDirty?: boolean;
}

export const promoteCommand: AddCommand = (program, run) => {
  const names = stageNames.join(", ");
  const command = program
    .command("promote")
    .description(
      "Makes what is published on one stage live and published on another: the same digest, nothing is built.",
    )
    .requiredOption("--function <name>", "the function, by the name of its folder under apps/")
    .requiredOption("--from <stage>", `the stage that has the image: ${names}`, parseStage)
    .requiredOption("--to <stage>", `the stage that gets it: ${names}`, parseStage)
    .option("--from-profile <name>", "AWS profile of the source's account (default: the same credentials)")
    .option("--from-region <region>", "region of the source (default: its stage's)")
    .option("--to-profile <name>", "AWS profile of the target's account (default: the same credentials)")
    .option("--commit <sha>", "only a release of this commit, or of one before it (default: of any)")
    .option("--allow-dirty", "promote a release of changes that were not committed, too");
  addCanaryOptions(command)
    .option("--json", "print the result as one JSON document")
    .option("--dry-run", "say what would be done, and move nothing")
    .action((options: PromoteOptions) =>
      run({ ...options, stage: options.to.name, ...profileOf(options.toProfile) }, (context) =>
        promote(context, options),
      ),
    );
};

const profileOf = (profile: string | undefined) => (profile === undefined ? {} : { profile });

async function promote(context: CommandContext, options: PromoteOptions): Promise<CommandResult> {
  refuseOtherEnvironment(context, options);
  const { onProgress, onDetail, signal, workspaceRoot, hostArchitecture } = context;
  const { from, fromRegion = from.region, fromProfile } = options;
  await refuseOtherAccount(from, fromRegion, fromProfile);
  const source: PromotionSide = {
    clients: buildHandoffClients({ region: fromRegion, ...profileOf(fromProfile) }),
    fn: parseFunction(options.function, from, hostArchitecture),
  };
  const target: PromotionSide = { clients: context.clients, fn: context.fn };
  const checkSource = ({ tag }: PromotionSource) => refuseTag(workspaceRoot, tag, options);
  if (options.dryRun) {
    const plan = await planPromotion(source);
    await checkSource(plan);
    return describePlan(source, target, plan);
  }
  const result = await promoteImage(source, target, {
    checkSource,
    copyImage: async (props) => {
      const registries = await openRegistries(source, target, AbortSignal.any([signal, props.signal]));
      await copyBetween(registries, props, onDetail);
    },
    smokeEvent: await findEvent(smokeEventPath(workspaceRoot, target.fn.project)),
    canary: buildCanary(options),
    onProgress,
  });
  // A run that was killed after its copy has left this to the next one.
  if (result.image === "none") {
    const { from, to } = await openRegistries(source, target, signal);
    await copyReferrers(from, to, result.digest, onDetail);
  }
  return describePromotion(source, target, result);
}

/** `stage-run` prepares endpoint and credentials for one stage, and it must be the one that is moved. */
function refuseOtherEnvironment({ environmentStage }: CommandContext, { from, to }: PromoteOptions): void {
  if (from.name === to.name) {
    throw usage(
      "a stage can't be promoted to itself",
      to.name,
      "Name two different stages with --from and --to.",
    );
  }
  if (environmentStage === undefined || environmentStage === to.name) return;
  throw new CodedError({
    code: "E_STAGE_AMBIGUOUS",
    what: `the environment is that of another stage than the target of the promotion, ${to.name}`,
    value: environmentStage,
    remedy: `Set STAGE=${to.name} before the command.`,
  });
}

/** What was released since a promotion was agreed on, or from somebody's working tree, is not what was agreed on. */
async function refuseTag(
  workspaceRoot: string,
  tag: ImageTag,
  { from, commit, allowDirty = false }: PromoteOptions,
): Promise<void> {
  const released = splitImageTag(tag);
  if (released.dirty && !allowDirty) {
    throw new CodedError({
      code: "E_TAG_DIRTY",
      what: `what is published on ${from.name} has changes that are in no commit`,
      value: tag,
      remedy: `Commit them and release that on ${from.name}; or promote with --allow-dirty.`,
    });
  }
  if (commit === undefined) return;
  const isOf = await isAncestor(workspaceRoot, released.commit, commit);
  if (isOf === true) return;
  throw new CodedError({
    code: "E_TAG_NOT_OF_COMMIT",
    what:
      isOf === undefined
        ? `Git doesn't know the commit that is published on ${from.name}, or not ${commit}`
        : `what is published on ${from.name} is neither of ${commit} nor of a commit before it`,
    value: tag,
    remedy:
      isOf === undefined
        ? "Fetch the whole history. If it is still unknown, it was released without being pushed."
        : `Promote the commit that is published, or release ${commit} on ${from.name} first.`,
  });
}

async function copyBetween(
  { from, to }: Registries,
  { sourceUri, targetUri }: CopyProps,
  onDetail: CommandContext["onDetail"],
): Promise<void> {
  const digest = sourceUri.slice(sourceUri.indexOf("@") + 1);
  const tag = targetUri.slice(targetUri.lastIndexOf(":") + 1);
  await copyImage(from, to, { digest, tag }, onDetail);
  await copyReferrers(from, to, digest, onDetail);
}

interface Registries {
  readonly from: RegistryClient;
  readonly to: RegistryClient;
}

async function openRegistries(
  source: PromotionSide,
  target: PromotionSide,
  signal: AbortSignal,
): Promise<Registries> {
  const open = async ({ clients, fn }: PromotionSide) =>
    createRegistryClient(await readRegistryLogin(clients), fn.repositoryName, signal);
  const [from, to] = await Promise.all([open(source), open(target)]);
  return { from, to };
}

function describePlan(source: PromotionSide, target: PromotionSide, plan: PromotionSource): CommandResult {
  const { tag, digest } = plan;
  return {
    lines: [
      `${target.fn.functionName}: a promotion from ${source.fn.stage.name} would make ${tag} live and publish it`,
      `  image    ${digest}`,
    ],
    value: { dryRun: true, ...describeSides(source, target), ...plan },
  };
}

function describePromotion(
  source: PromotionSide,
  target: PromotionSide,
  result: PromoteResult,
): CommandResult {
  const { tag, digest, image, live } = result;
  return {
    lines: [
      `${target.fn.functionName}: ${tag} of ${source.fn.stage.name} is live and published`,
      `  image    ${digest}`,
      `           ${image === "copied" ? "copied" : "was in the repository already"}`,
      `  version  ${describeVersion(live)}`,
    ],
    value: { ...describeSides(source, target), ...result },
  };
}

function describeSides(source: PromotionSide, target: PromotionSide): object {
  return { function: target.fn.project, from: source.fn.stage.name, to: target.fn.stage.name };
}
