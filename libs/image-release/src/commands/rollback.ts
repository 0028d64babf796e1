import { findEvent, planRollback, rollbackTo, smokeEventPath } from "@workspace/handoff";
import { CodedError, type ImageTag, isImageTag } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";
import { describeVersion } from "../terminal/describe-live.ts";

interface RollbackOptions extends SharedOptions {
  readonly to?: ImageTag;
}

export const rollbackCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("rollback"), { moves: true })
    .description(
      "Makes an earlier release live and publishes its tag, so that the next deploy keeps it. Builds nothing.",
    )
    .option("--to <tag>", "the release to go back to (default: the one before the last)", parseTarget)
    .action((options: RollbackOptions) => run(options, (context) => rollback(context, options)));
};

/** @throws CodedError `E_IMAGE_TAG_MALFORMED` */
function parseTarget(value: string): ImageTag {
  if (isImageTag(value)) return value;
  throw new CodedError({
    code: "E_IMAGE_TAG_MALFORMED",
    what: "--to is not the tag of a released image",
    value,
    remedy: "Choose one that `history` shows with an image.",
  });
}

async function rollback(
  { clients, fn, workspaceRoot, onProgress }: CommandContext,
  { to, dryRun }: RollbackOptions,
): Promise<CommandResult> {
  const about = { function: fn.project, stage: fn.stage.name };
  if (dryRun) {
    const target = await planRollback(clients, fn, to);
    return {
      lines: [
        `${fn.functionName}: a rollback would make ${target.tag} live and publish it`,
        `  image    ${target.digest}`,
      ],
      value: { dryRun: true, ...about, ...target },
    };
  }
  const result = await rollbackTo(clients, fn, {
    to,
    findSmokeEvent: () => findEvent(smokeEventPath(workspaceRoot, fn.project)),
    onProgress,
  });
  return {
    lines: [
      `${fn.functionName}: ${result.tag} is live and published`,
      `  image    ${result.digest}`,
      `  version  ${describeVersion(result.live)}`,
    ],
    value: { ...about, ...result },
  };
}
