import { CodedError, type FunctionOnStage, type ImageTag } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { checkImage, type Digest, listImages } from "../images/images.ts";
import { type LeaseProps, withLease } from "../lease/lease.ts";
import { findLiveConfiguration } from "../live/function-state.ts";
import { type LiveResult, makeLive } from "../live/make-live.ts";
import { publishLive } from "../live/publish-live.ts";
import type { OnProgress } from "../progress.ts";
import { readPublishedHistory } from "../published/published-tag.ts";
import { chooseRollbackTarget } from "../published/rollback-target.ts";
import { waitUntilStackSettled } from "../stack/stack.ts";

export interface RollbackProps {
  /** @default undefined: the release before the last one; a rollback that is run again stays there */
  readonly to?: ImageTag | undefined;
  /**
   * Asked only of an image that was never published: one that was has passed its check, and a way back must stay open
   * when what the check needs is down, or broken. Gives `undefined` where the function has none.
   */
  readonly findSmokeEvent: () => Promise<string | undefined>;
  readonly onProgress?: OnProgress | undefined;
  readonly leaseTerms?: LeaseProps["terms"];
}

export interface RollbackTarget {
  readonly tag: ImageTag;
  readonly digest: Digest;
}

export interface RollbackResult extends RollbackTarget {
  readonly live: LiveResult;
}

/**
 * Moves code and tag to an image that was released before; builds nothing. The next deploy keeps it.
 * @throws CodedError `E_ROLLBACK_TARGET_MISSING`, `E_IMAGE_MISSING`, `E_IMAGE_ARCHITECTURE`, and those of
 * {@link withLease}, {@link makeLive}, {@link publishLive}
 */
export async function rollbackTo(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { to, findSmokeEvent, onProgress = () => {}, leaseTerms: terms }: RollbackProps,
): Promise<RollbackResult> {
  const command = to === undefined ? "rollback" : `rollback --to ${to}`;
  return withLease(clients, fn, { command, onProgress, terms }, async (lease) => {
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const { tag, digest } = await planRollback(clients, fn, to);
    onProgress({ kind: "step", text: `back to ${tag}` });
    const smokeEvent = (await isProven(clients, fn, { tag, digest })) ? undefined : await findSmokeEvent();
    const live = await makeLive(clients, fn, lease, { digest, smokeEvent, onProgress });
    await publishLive(clients, fn, lease, { tag, publisher: "rollback", live, onProgress });
    return { tag, digest, live };
  });
}

async function isProven(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { tag, digest }: RollbackTarget,
): Promise<boolean> {
  const history = await readPublishedHistory(clients, fn);
  if (history.some((published) => published.tag === tag)) return true;
  return (await findLiveConfiguration(clients, fn))?.digest === digest;
}

/**
 * Where {@link rollbackTo} would go now; moves nothing.
 * @throws CodedError `E_ROLLBACK_TARGET_MISSING`, `E_IMAGE_MISSING`, `E_IMAGE_IS_INDEX`, `E_IMAGE_ARCHITECTURE`
 */
export async function planRollback(
  clients: HandoffClients,
  fn: FunctionOnStage,
  to: ImageTag | undefined,
): Promise<RollbackTarget> {
  const tag = to ?? (await findDefaultTarget(clients, fn));
  const digest = await checkImage(clients, fn, tag, {
    codePrefix: "E_IMAGE",
    subject: "the image to go back to",
    remedy: "Choose a tag that `history` shows with an image: `rollback --to TAG`.",
    architectureRemedy:
      "Change the function's architecture back in libs/shared-config/src/functions.ts, then this again.",
  });
  return { tag, digest };
}

async function findDefaultTarget(clients: HandoffClients, fn: FunctionOnStage): Promise<ImageTag> {
  const [history, images] = await Promise.all([readPublishedHistory(clients, fn), listImages(clients, fn)]);
  const digests = new Map(images.flatMap(({ digest, tags }) => tags.map((tag) => [tag, digest] as const)));
  const target = chooseRollbackTarget(history, digests);
  if (target === undefined) {
    throw new CodedError({
      code: "E_ROLLBACK_TARGET_MISSING",
      what: "there is no earlier release whose image is still in the repository",
      value: history.map(({ tag }) => tag),
      remedy: "Name a tag: `rollback --to TAG`. `history` shows which have an image.",
    });
  }
  return target;
}
