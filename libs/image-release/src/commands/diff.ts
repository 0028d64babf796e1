import { findImage, type HandoffState, readHandoffState } from "@workspace/handoff";
import { type FunctionOnStage, type ImageTag, isImageTag, splitImageTag } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import { diffSettings, type SettingChange } from "../diff/settings-diff.ts";
import { type CommitLine, findCommitsSince } from "../git/commits-since.ts";
import { withReleaseSubject } from "../image/release-subject.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

export const diffCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("diff"), { moves: false })
    .description(
      "Compares what is live with this checkout's code and with the configuration that was deployed.",
    )
    .action((options: SharedOptions) => run(options, diff));
};

/** What a release of this checkout, and then a deploy, would change. */
export interface Differences {
  readonly liveTag: ImageTag | undefined;
  readonly checkoutTag: ImageTag;
  readonly isContentLive: boolean;
  /** `undefined` where Git doesn't know the commit that is live. */
  readonly commits: readonly CommitLine[] | undefined;
  readonly settings: readonly SettingChange[];
}

async function diff(context: CommandContext): Promise<CommandResult> {
  const { clients, fn, workspaceRoot } = context;
  return withReleaseSubject(context, { allowDirty: true }, async ({ tag, contentTag }) => {
    const [state, content] = await Promise.all([
      readHandoffState(clients, fn),
      findImage(clients, fn, contentTag),
    ]);
    const liveTags = state.live?.tags.filter(isImageTag) ?? [];
    // The same content may have been released under several commits.
    const liveTag = liveTags.find((each) => each === state.publishedTag) ?? liveTags[0];
    return describeDifferences(fn, {
      liveTag,
      checkoutTag: tag,
      isContentLive: content !== undefined && content.digest === state.live?.version.digest,
      commits: liveTag && (await findCommitsSince(workspaceRoot, splitImageTag(liveTag).commit)),
      settings: compareSettings(state),
    });
  });
}

function compareSettings({ live, latest }: HandoffState): SettingChange[] {
  return live === undefined || latest === undefined
    ? []
    : diffSettings(live.version.settings, latest.settings);
}

export function describeDifferences(fn: FunctionOnStage, differences: Differences): CommandResult {
  const { liveTag, checkoutTag, isContentLive, commits, settings } = differences;
  const live = liveTag ?? "no release";
  return {
    lines: [
      `${fn.functionName} (${fn.project} on ${fn.stage.name})`,
      isContentLive
        ? `  code           ${checkoutTag} has the content that is live`
        : `  code           ${live} is live, ${checkoutTag} is other content`,
      ...(commits ?? []).map((commit) => `    + ${commit}`),
      ...(liveTag !== undefined && commits === undefined
        ? [`    Git doesn't know ${splitImageTag(liveTag).commit}: fetch the history to see the commits`]
        : []),
      `  configuration  ${settings.length === 0 ? "what is deployed is live" : "deployed, and not live yet:"}`,
      ...settings.map(
        ({ name, before, after }) => `    ${name}: ${before ?? "not set"} -> ${after ?? "not set"}`,
      ),
      `  \`nx run infra:diff --stage ${fn.stage.name}\` compares what infra would deploy`,
    ],
    value: { function: fn.project, stage: fn.stage.name, ...differences },
  };
}
