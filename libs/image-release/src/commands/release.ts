import {
  findEvent,
  planRelease,
  type ReleasePlan,
  type ReleaseResult,
  releaseImage,
  smokeEventPath,
} from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { addCanaryOptions, buildCanary, type CanaryOptions } from "../canary-options.ts";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import { type ReleaseSubject, withReleaseSubject } from "../image/release-subject.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";
import { describeVersion } from "../terminal/describe-live.ts";

interface ReleaseOptions extends SharedOptions, CanaryOptions {
  readonly allowDirty?: boolean;
}

export const releaseCommand: AddCommand = (program, run) => {
  const command = addSharedOptions(program.command("release"), { moves: true })
    .description(
      "Builds and pushes the commit's image, makes it live, and publishes its tag as the last step.",
    )
    .option("--allow-dirty", "release changes that are not committed; the tag says so");
  addCanaryOptions(command).action((options: ReleaseOptions) =>
    run(options, (context) => release(context, options)),
  );
};

async function release(context: CommandContext, options: ReleaseOptions): Promise<CommandResult> {
  const canary = buildCanary(options);
  const allowDirty = options.allowDirty === true;
  return withReleaseSubject(context, { allowDirty }, async (subject) => {
    const { clients, fn, onProgress, workspaceRoot } = context;
    if (options.dryRun) return describePlan(fn, subject, await planRelease(clients, fn, subject));
    const result = await releaseImage(clients, fn, {
      ...subject,
      push: async (target) => {
        // Loaded here only: most releases of unchanged content end before.
        const { pushImage } = await import("../image/push-image.ts");
        await pushImage(context, subject.context, target);
        await attach(context, subject, target.contentTag);
      },
      smokeEvent: await findEvent(smokeEventPath(workspaceRoot, fn.project)),
      canary,
      onProgress,
    });
    // A run that was killed after its push has left this to the next one.
    if (result.kind === "released" && result.image !== "push") await attach(context, subject, result.digest);
    return describeRelease(fn, subject, result);
  });
}

async function attach(context: CommandContext, subject: ReleaseSubject, reference: string): Promise<void> {
  const { attachStatements } = await import("../attachments/attach-statements.ts");
  await attachStatements(context, subject, reference);
}

function describeRelease(
  fn: FunctionOnStage,
  { contentTag }: ReleaseSubject,
  { kind, tag, digest, image, live }: ReleaseResult,
): CommandResult {
  const value = { kind, function: fn.project, stage: fn.stage.name, tag, contentTag, digest, image, live };
  if (kind === "unchanged") {
    return { lines: [`${fn.functionName}: ${tag} is live and published already; nothing was moved`], value };
  }
  const imageLines = {
    push: "built and pushed",
    tag: "the content was in the repository already: no build, no push",
    none: "was in the repository already: no build, no push",
  };
  return {
    lines: [
      `${fn.functionName}: ${tag} is live and published`,
      `  image    ${digest}`,
      `           ${imageLines[image]}`,
      ...(live === undefined ? [] : [`  version  ${describeVersion(live)}`]),
    ],
    value,
  };
}

function describePlan(
  fn: FunctionOnStage,
  { tag, contentTag }: ReleaseSubject,
  plan: ReleasePlan,
): CommandResult {
  const imageLines = {
    push: `build and push ${contentTag}`,
    tag: `tag ${contentTag}, which is in the repository, with ${tag}`,
    none: undefined,
  };
  const steps = [
    imageLines[plan.image],
    plan.movesCode ? "make it live" : undefined,
    plan.publishesTag ? `publish ${tag}` : undefined,
  ].filter((step) => step !== undefined);
  return {
    lines:
      steps.length === 0
        ? [`${fn.functionName}: ${tag} is live and published already; a release would move nothing`]
        : [`${fn.functionName}: a release of ${tag} would`, ...steps.map((step) => `  - ${step}`)],
    value: { dryRun: true, function: fn.project, stage: fn.stage.name, tag, contentTag, ...plan },
  };
}
