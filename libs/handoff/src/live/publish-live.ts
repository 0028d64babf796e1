import type { FunctionOnStage, ImageTag } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import type { Lease } from "../lease/lease.ts";
import type { OnProgress } from "../progress.ts";
import { type Publisher, publishTag, readRawTag } from "../published/published-tag.ts";
import { requireConfiguration, requireLiveAlias } from "./function-state.ts";
import { type LiveResult, restoreLatest, updateAlias, withRolledBack } from "./make-live.ts";

export interface PublishLiveProps {
  readonly tag: ImageTag;
  readonly publisher: Publisher;
  /** What has just been made live under this tag. */
  readonly live: LiveResult;
  readonly onProgress: OnProgress;
}

/**
 * Publishes the tag of what is live. Where that fails for certain, what was live before gets the traffic back: the
 * next deploy would take it there anyway.
 * @throws what {@link publishTag} throws; exit code 2 where the traffic was taken back
 */
export async function publishLive(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  { tag, publisher, live, onProgress }: PublishLiveProps,
): Promise<void> {
  try {
    await publishTag(clients, fn, lease, tag, publisher);
  } catch (error) {
    if (live.kind === "unchanged" || lease.signal.aborted) throw error;
    throw await takeBack(clients, fn, lease, { tag, live, onProgress }, error);
  }
  onProgress({ kind: "step", text: `${tag} is published` });
}

async function takeBack(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  { tag, live, onProgress }: Omit<PublishLiveProps, "publisher">,
  error: unknown,
): Promise<unknown> {
  try {
    if ((await readRawTag(clients, fn))?.value === tag) return error;
    const alias = await requireLiveAlias(clients, fn);
    if (alias.version === live.version) {
      await updateAlias(clients, fn, lease, alias, { version: live.previous.version, weights: {} });
    }
    const previous = await requireConfiguration(clients, fn, live.previous.version);
    await restoreLatest(clients, fn, lease, previous, onProgress);
    return withRolledBack(error);
  } catch (second) {
    return withRolledBack(error, second);
  }
}
