import { type ImageTag, initialTag } from "@workspace/shared-config";
import type { StoredImage } from "../images/images.ts";
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
 * @param keepReleases how many of the last releases stay, at least 1
 */
export function planRetention(facts: RetentionFacts, keepReleases: number): RetentionPlan {
  const versions = facts.versions.map((item) => ({ item, reasons: explainVersion(facts, item) }));
  const kept = versions.filter(({ reasons }) => reasons.length > 0).map(({ item }) => item);
  const recent = listRecentReleases(facts.history, keepReleases);
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
  recent: readonly ImageTag[],
): string[] {
  const reasons = keptVersions
    .filter((kept) => kept.digest === digest)
    .map(({ version }) => `version ${version}`);
  if (latest?.digest === digest) reasons.push("$LATEST");
  if (publishedTag !== undefined && tags.includes(publishedTag)) reasons.push("published");
  if (templateImages.some((image) => image === digest || tags.includes(image))) reasons.push("template");
  const release = recent.find((tag) => tags.includes(tag));
  if (release !== undefined) reasons.push(`release ${release}`);
  if (tags.includes(initialTag)) reasons.push(initialTag);
  return reasons;
}

/** The last tags that were published, newest first, each once. */
export function listRecentReleases(history: readonly PublishedVersion[], count: number): ImageTag[] {
  const newestFirst = history.map(({ tag }) => tag).reverse();
  return [...new Set(newestFirst)].slice(0, count);
}
