import { initialTag, isImageTag } from "@workspace/shared-config";
import type { Observed } from "./observe.ts";

/**
 * The promises that must hold at every moment, whatever was killed or refused: what is broken, in sentences.
 * @param before what was observed before the command; nothing may get lost from it
 */
export function findBrokenPromises(before: Observed, now: Observed): string[] {
  const broken: string[] = [];
  const initial = now.images.get(initialTag);
  const published = now.publishedTag === undefined ? undefined : now.images.get(now.publishedTag);

  if (before.publishedTag !== undefined) {
    if (now.publishedTag === undefined) broken.push("P1: the published tag is gone");
    if (now.live !== undefined && now.live.digest === initial)
      broken.push("P1: the placeholder is live after a release");
    if (now.latestDigest === initial) broken.push("P1: the placeholder is in $LATEST after a release");
  }
  if (before.live !== undefined && now.live === undefined) broken.push("P2: nothing is live any more");
  if (now.publishedTag !== undefined) {
    if (!isImageTag(now.publishedTag)) broken.push(`P3: ${now.publishedTag} is published`);
    if (published === undefined)
      broken.push(`P3: the image of the published tag ${now.publishedTag} does not exist`);
    else if (!now.versionDigests.includes(published))
      broken.push(`P3: no function has run the published ${now.publishedTag}`);
  }
  const digests = new Set(now.images.values());
  if (now.live !== undefined && !digests.has(now.live.digest))
    broken.push(`P4: the live image ${now.live.digest} is gone`);
  if (now.templateTag !== undefined && !now.images.has(now.templateTag)) {
    broken.push(`P4: the image ${now.templateTag} of CloudFormation's template is gone`);
  }
  if (before.images.has(initialTag) && initial === undefined) broken.push(`P4: ${initialTag} is gone`);
  return broken;
}

/** The promises that must hold once a command has ended well: what is broken, in sentences. */
export function findUnkept(now: Observed): string[] {
  const published =
    now.publishedTag === undefined ? now.images.get(initialTag) : now.images.get(now.publishedTag);
  const broken: string[] = [];
  if (now.live?.digest !== published)
    broken.push(`P2: ${now.live?.digest} is live, not ${published} of the published tag`);
  if (now.weighted.length > 0) broken.push(`P2: traffic still goes to version ${now.weighted.join(", ")}`);
  return broken;
}

/** What an undisturbed run and a repeated one must have in common. */
export function describeEnd({ versionDigests: _order, images, ...rest }: Observed): string {
  return JSON.stringify({ ...rest, tags: [...images].filter(([tag]) => tag !== "") }, undefined, 1);
}
