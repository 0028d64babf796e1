import {
  findDrift,
  type HandoffClients,
  type HandoffState,
  type LiveVersion,
  type Published,
  readHandoffState,
  resolvePublished,
} from "@workspace/handoff";
import {
  CodedError,
  exitCodes,
  type FunctionOnStage,
  initialTag,
  isImageTag,
} from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

export const statusCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("status"), { moves: false })
    .description(
      "Shows what is published, deployed and live, and what a deploy would do. Exits with 3 on drift.",
    )
    .action((options: SharedOptions) => run(options, status));
};

async function status({ clients, fn }: CommandContext): Promise<CommandResult> {
  const [state, resolution] = await Promise.all([readHandoffState(clients, fn), findResolution(clients, fn)]);
  return describeStatus(fn, state, resolution);
}

/** What a deploy would put into the template now, or what would stop it. */
export type Resolution = Published | CodedError;

/** What stops a deploy because things disagree. Any other failure means that `status` could not look. */
const disagreements: readonly CodedError["code"][] = [
  "E_TAG_VANISHED",
  "E_IMAGE_TAG_MALFORMED",
  "E_PUBLISHED_IMAGE_MISSING",
  "E_PUBLISHED_IMAGE_IS_INDEX",
  "E_PUBLISHED_IMAGE_ARCHITECTURE",
];

async function findResolution(clients: HandoffClients, fn: FunctionOnStage): Promise<Resolution> {
  try {
    return await resolvePublished(clients, fn);
  } catch (error) {
    if (error instanceof CodedError && disagreements.includes(error.code)) return error;
    throw error;
  }
}

export function describeStatus(
  fn: FunctionOnStage,
  state: HandoffState,
  resolution: Resolution,
): CommandResult {
  const { publishedTag, publishedDigest, templateImage, stackStatus, live, latest, leaseHolder } = state;
  const isStopped = resolution instanceof CodedError;
  const drift = [...findDrift(state), ...(isStopped ? [`a deploy would stop: ${resolution.message}`] : [])];
  const holder =
    leaseHolder &&
    `${leaseHolder.command} by ${leaseHolder.user}@${leaseHolder.host} since ${leaseHolder.since}`;
  return {
    lines: [
      `${fn.functionName} (${fn.project} on ${fn.stage.name})`,
      `  published  ${publishedTag ?? "nothing"}${publishedDigest ? `  ${publishedDigest}` : ""}`,
      `  template   ${stackStatus === undefined ? "no stack" : `${templateImage ?? "no image"}  ${stackStatus}`}`,
      `  live       ${live === undefined ? "nothing" : describeLive(live, publishedTag)}`,
      `  a deploy   ${describeDeploy(resolution)}`,
      `  lease      ${holder ?? "free"}`,
      ...drift.map((sentence) => `drift: ${sentence}`),
      ...(drift.length > 0 && !isStopped ? listWaysOut(fn, state) : []),
    ],
    value: {
      function: fn.project,
      stage: fn.stage.name,
      published: { tag: publishedTag, digest: publishedDigest },
      template: { image: templateImage, stackStatus },
      live: live && {
        version: live.version.version,
        digest: live.version.digest,
        tags: live.tags,
        weights: live.alias.weights,
      },
      latest: latest && { digest: latest.digest },
      deploy: isStopped ? { kind: "stopped", code: resolution.code } : resolution,
      lease: leaseHolder,
      drift,
    },
    exitCode: drift.length > 0 ? exitCodes.drift : exitCodes.done,
  };
}

function describeLive({ alias, version, tags }: LiveVersion, publishedTag: string | undefined): string {
  const shares = Object.entries(alias.weights).map(
    ([other, weight]) => `, ${weight * 100}% to version ${other}`,
  );
  const names = tags.filter((tag) => isImageTag(tag) || tag === initialTag);
  // The same content may have been released under several commits.
  const name = names.find((tag) => tag === publishedTag) ?? names[0] ?? "untagged";
  return `${name}  ${version.digest}  version ${version.version}${shares.join("")}`;
}

function describeDeploy(resolution: Resolution): string {
  if (resolution instanceof CodedError) return `would stop: ${resolution.code}`;
  return resolution.kind === "published" ? `would keep ${resolution.tag}` : "would deploy the placeholder";
}

function listWaysOut({ project, stage }: FunctionOnStage, { publishedTag, live }: HandoffState): string[] {
  const rollback = (tag: string) => `nx run ${project}:rollback --stage ${stage.name} --to ${tag}`;
  const liveTag = live?.tags.find(isImageTag);
  return [
    publishedTag === undefined
      ? `  → \`nx run infra:deploy --stage ${stage.name}\` makes the placeholder live`
      : `  → \`${rollback(publishedTag)}\` makes live what is published`,
    ...(liveTag === undefined || liveTag === publishedTag
      ? []
      : [`  → \`${rollback(liveTag)}\` publishes what is live`]),
  ];
}
