import { unlock as freeLease, readLeaseHolder } from "@workspace/handoff";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

export const unlockCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("unlock"), { moves: true })
    .description(
      "Frees the lease, whoever holds it. A holder that still runs stops before it moves anything more.",
    )
    .action((options: SharedOptions) => run(options, (context) => unlock(context, options)));
};

async function unlock({ clients, fn }: CommandContext, { dryRun }: SharedOptions): Promise<CommandResult> {
  const about = { function: fn.project, stage: fn.stage.name };
  if (dryRun) {
    const holder = await readLeaseHolder(clients, fn);
    const found = holder === undefined ? "the lease is free" : `would break the lease of ${holder.command}`;
    return { lines: [`${fn.functionName}: ${found}`], value: { dryRun: true, ...about, holder } };
  }
  const broke = (await freeLease(clients, fn))?.broke;
  const done =
    broke === undefined
      ? "the lease was free already"
      : broke === "malformed"
        ? "the lease was not readable; it is free now"
        : `broke the lease of ${broke.command} by ${broke.user}@${broke.host}, process ${broke.pid}, since ${broke.since}`;
  return { lines: [`${fn.functionName}: ${done}`], value: { ...about, broke } };
}
