import {
  defaultKeepReleases,
  planPrune,
  prune as pruneImages,
  type Retained,
  type RetentionPlan,
} from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import { formatTable } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import { parseCount } from "../options.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

interface PruneOptions extends SharedOptions {
  readonly keep: number;
}

export const pruneCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("prune"), { moves: true })
    .description("Removes the images and versions that nothing needs, and lists what stays and why.")
    .option("--keep <n>", "how many of the last releases stay", parseCount, defaultKeepReleases)
    .action((options: PruneOptions) => run(options, (context) => prune(context, options)));
};

async function prune(
  { clients, fn, onProgress }: CommandContext,
  { keep, dryRun = false }: PruneOptions,
): Promise<CommandResult> {
  const plan = dryRun
    ? await planPrune(clients, fn, keep)
    : await pruneImages(clients, fn, { keepReleases: keep, onProgress });
  return describeRetention(fn, plan, dryRun);
}

export function describeRetention(fn: FunctionOnStage, plan: RetentionPlan, dryRun: boolean): CommandResult {
  const images = plan.images.map(({ item: { digest, tags }, reasons }) => ({ digest, tags, reasons }));
  const versions = plan.versions.map(({ item: { version, digest }, reasons }) => ({
    version,
    digest,
    reasons,
  }));
  const removed = (entries: readonly Pick<Retained<unknown>, "reasons">[]) =>
    entries.filter(({ reasons }) => reasons.length === 0).length;
  const verb = dryRun ? "would remove" : "removed";
  const verdict = (reasons: readonly string[]) =>
    reasons.length === 0 ? [verb, ""] : ["keeps", reasons.join(", ")];
  return {
    lines: [
      `${fn.functionName}: ${verb} ${count(removed(images), "image")} and ${count(removed(versions), "version")}`,
      ...formatTable(
        ["", "WHAT", "WHY"],
        [
          ...versions.map(({ version, reasons }) => [`version ${version}`, reasons] as const),
          ...images.map(({ digest, tags, reasons }) => [tags.join(", ") || digest, reasons] as const),
        ].map(([what, reasons]) => {
          const [done = "", why = ""] = verdict(reasons);
          return [done, what, why];
        }),
      ).map((line) => `  ${line}`),
    ],
    value: { dryRun, function: fn.project, stage: fn.stage.name, images, versions },
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
