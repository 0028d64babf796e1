import { listReleases, type PublishedRelease } from "@workspace/handoff";
import type { CommandResult } from "@workspace/terminal";
import { formatTable } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

export const historyCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("history"), { moves: false })
    .description("Lists what was published, newest first, and says which of it is live.")
    .action((options: SharedOptions) => run(options, history));
};

async function history({ clients, fn }: CommandContext): Promise<CommandResult> {
  const releases = await listReleases(clients, fn);
  return {
    lines:
      releases.length === 0
        ? [`${fn.functionName}: nothing was ever published`]
        : formatTable(["TAG", "BY", "WHEN", "DIGEST", ""], releases.map(describeRelease)),
    value: { function: fn.project, stage: fn.stage.name, releases },
  };
}

function describeRelease({ tag, publisher, at, digest, isPublished, isLive }: PublishedRelease): string[] {
  const marks = [isPublished && "published", isLive && "live"].filter((mark) => mark !== false);
  return [tag, publisher, at?.toISOString() ?? "?", digest ?? "image removed", marks.join(", ")];
}
