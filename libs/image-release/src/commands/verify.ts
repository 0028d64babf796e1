import { exitCodes } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { Option } from "commander";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";
import { formatChecks, isOk } from "../verify/check.ts";
import { type Side, sides } from "../verify/side.ts";

interface VerifyOptions extends SharedOptions {
  readonly for: Side;
}

export const verifyCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("verify"), { moves: false })
    .description(
      "Looks at everything that a release or deploy needs before one is run: OK, NG (no good) or SKIP.",
    )
    .addOption(
      new Option("--for <side>", "the side whose permissions are looked at")
        .choices(sides)
        .default("release"),
    )
    .action((options: VerifyOptions) => run(options, (context) => verify(context, options)));
};

async function verify(
  { clients, fn, region }: CommandContext,
  options: VerifyOptions,
): Promise<CommandResult> {
  // Loaded here only: no other command needs IAM and STS.
  const { verifyStage } = await import("../verify/verify-stage.ts");
  const checks = await verifyStage({ clients, fn, region, side: options.for });
  return {
    lines: [`${fn.functionName} (${fn.project} on ${fn.stage.name})`, ...formatChecks(checks)],
    value: { function: fn.project, stage: fn.stage.name, ok: isOk(checks), checks },
    exitCode: isOk(checks) ? exitCodes.done : exitCodes.failed,
  };
}
