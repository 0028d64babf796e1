import { exitCodeMeanings, exitCodes } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { Command } from "commander";
import type { CommandContext, SharedOptions } from "./command-context.ts";
import { diffCommand } from "./commands/diff.ts";
import { historyCommand } from "./commands/history.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { logsCommand } from "./commands/logs.ts";
import { promoteCommand } from "./commands/promote.ts";
import { pruneCommand } from "./commands/prune.ts";
import { releaseCommand } from "./commands/release.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { statusCommand } from "./commands/status.ts";
import { unlockCommand } from "./commands/unlock.ts";
import { verifyCommand } from "./commands/verify.ts";

/** Runs the work of the command that was asked for, and shows what comes of it. */
export type RunCommand = (
  options: SharedOptions,
  work: (context: CommandContext) => Promise<CommandResult>,
) => Promise<void>;

/** One command: its name, its options, and what it does. */
export type AddCommand = (program: Command, run: RunCommand) => void;

const commands: readonly AddCommand[] = [
  releaseCommand,
  rollbackCommand,
  promoteCommand,
  statusCommand,
  historyCommand,
  diffCommand,
  verifyCommand,
  logsCommand,
  invokeCommand,
  pruneCommand,
  unlockCommand,
];

const exitCodeHelp = `
Exit codes:
${Object.values(exitCodes)
  .map((code) => `  ${code}  ${exitCodeMeanings[code]}`)
  .join("\n")}`;

export function buildProgram(run: RunCommand): Command {
  const program = new Command("image-release")
    .description("Releases a function of this workspace as a container image, and shows what is live.")
    .helpCommand(false)
    .configureHelp({ sortOptions: false, helpWidth: 100 })
    .addHelpText("after", exitCodeHelp);
  for (const add of commands) add(program, run);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}
