import type { ImageTag } from "@workspace/shared-config";
import type { PublishedVersion } from "./published-tag.ts";

/**
 * The release before the last one, by content: the last tag that was released, and before it the nearest whose image
 * is another one. What rollbacks published doesn't count as released, so running a rollback again goes nowhere else.
 * @param history oldest first
 * @param digests by tag, of the images that exist
 */
export function chooseRollbackTarget(
  history: readonly PublishedVersion[],
  digests: ReadonlyMap<string, string>,
): ImageTag | undefined {
  const lastRelease = history.findLastIndex(({ publisher }) => publisher !== "rollback");
  const released = history[lastRelease];
  if (released === undefined) return undefined;
  const isTarget = ({ tag }: PublishedVersion) =>
    digests.has(tag) && digests.get(tag) !== digests.get(released.tag);
  return history
    .slice(0, lastRelease)
    .findLast(({ tag, ...rest }) => tag !== released.tag && isTarget({ tag, ...rest }))?.tag;
}
