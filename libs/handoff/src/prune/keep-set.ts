import { type ImageTag, initialTag } from "@workspace/shared-config";
import type { Digest, StoredImage } from "../images/images.ts";
import type { FunctionAlias, FunctionVersion } from "../live/function-state.ts";
import type { PublishedVersion } from "../published/published-tag.ts";

/** Everything that retention looks at. */
export interface RetentionFacts {
  readonly images: readonly StoredImage[];
  readonly latest: FunctionVersion | undefined;
  /** Published ones, oldest first. */
  readonly versions: readonly FunctionVersion[];
  readonly aliases: readonly FunctionAlias[];
  readonly publishedTag: ImageTag | undefined;
  /** Oldest first. */
  readonly history: readonly PublishedVersion[];
  /** Tags and digests of the images in CloudFormation's last template. */
  readonly templateImages: readonly string[];
}

/** Something that may go or has to stay. */
export interface Retained<T> {
  readonly item: T;
  /** Why it stays; empty where it may go. */
  readonly reasons: readonly string[];
}

export interface RetentionPlan {
  readonly images: readonly Retained<StoredImage>[];
  readonly versions: readonly Retained<FunctionVersion>[];
}

/**
 * What has to stay and why: what any alias gives traffic to, `$LATEST`, the published tag, CloudFormation's last
 * template, the last releases, `initial`, the images of the versions that stay, and the one version that
 * CloudFormation made with the alias.
 * @param keepReleases how many of the last images that were released stay, at least 1
 */
export function planRetention(facts: RetentionFacts, keepReleases: number): RetentionPlan {
  const versions = facts.versions.map((item) => ({ item, reasons: explainVersion(facts, item) }));
  const kept = versions.filter(({ reasons }) => reasons.length > 0).map(({ item }) => item);
  const recent = findRecentReleases(facts, keepReleases);
  const images = facts.images
    .filter(({ artifactType }) => artifactType === undefined)
    .map((item) => ({ item, reasons: explainImage(facts, item, kept, recent) }));
  return { images, versions };
}

function explainVersion({ aliases, versions }: RetentionFacts, { version }: FunctionVersion): string[] {
  const reasons = aliases.flatMap(({ name, version: main, weights }) => {
    if (main === version) return [`alias ${name}`];
    return weights[version] === undefined ? [] : [`a part of alias ${name}`];
  });
  // CloudFormation owns the first version, with which it made the alias; without it an update of the stack fails.
  if (versions[0]?.version === version) reasons.push("CloudFormation's version");
  return reasons;
}

function explainImage(
  { latest, publishedTag, templateImages }: RetentionFacts,
  { digest, tags }: StoredImage,
  keptVersions: readonly FunctionVersion[],
  recent: ReadonlyMap<Digest, ImageTag>,
): string[] {
  const reasons = keptVersions
    .filter((kept) => kept.digest === digest)
    .map(({ version }) => `version ${version}`);
  if (latest?.digest === digest) reasons.push("$LATEST");
  if (publishedTag !== undefined && tags.includes(publishedTag)) reasons.push("published");
  if (templateImages.some((image) => image === digest || tags.includes(image))) reasons.push("template");
  const release = recent.get(digest);
  if (release !== undefined) reasons.push(`release ${release}`);
  if (tags.includes(initialTag)) reasons.push(initialTag);
  return reasons;
}

/**
 * The last images that were published, each with the newest of its tags. By content: a release of what is live gives it
 * one more tag, and many of those must not push out the image that a rollback would go back to.
 */
function findRecentReleases({ history, images }: RetentionFacts, count: number): Map<Digest, ImageTag> {
  const recent = new Map<Digest, ImageTag>();
  for (const { tag } of history.toReversed()) {
    const image = images.find(({ tags }) => tags.includes(tag));
    if (image !== undefined && !recent.has(image.digest)) recent.set(image.digest, tag);
    if (recent.size === count) break;
  }
  return recent;
}
