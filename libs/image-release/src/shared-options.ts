import { defaultStageName, stageNames } from "@workspace/shared-config";
import type { Command } from "commander";

/** @param moves whether the command moves something, and so has `--dry-run` */
export function addSharedOptions(command: Command, { moves }: { readonly moves: boolean }): Command {
  command
    .requiredOption("--function <name>", "the function, by the name of its folder under apps/")
    .option("--stage <stage>", `${stageNames.join(", ")} (default: $STAGE, or ${defaultStageName})`)
    .option("--json", "print the result as one JSON document");
  return moves ? command.option("--dry-run", "say what would be done, and move nothing") : command;
}
