import { isDeepStrictEqual } from "node:util";
import {
  type FunctionOnStage,
  type ImageTag,
  initialTag,
  isImageTag,
  liveAlias,
} from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { type Digest, listImages, type StoredImage } from "../images/images.ts";
import { readLeaseHolder } from "../lease/lease.ts";
import type { LeaseHolder } from "../lease/lease-log.ts";
import {
  type FunctionAlias,
  type FunctionVersion,
  findConfiguration,
  listAliases,
} from "../live/function-state.ts";
import { type Publisher, readPublishedHistory, readRawTag } from "../published/published-tag.ts";
import { findStackStatus, findTemplate, listTemplateImages } from "../stack/stack.ts";

/** Everything that `status` shows, as it is at one moment; read without the lease. */
export interface HandoffState {
  /** The parameter's value as it is, malformed or not; `undefined` where it does not exist. */
  readonly publishedTag: string | undefined;
  /** Of the published tag's image; `undefined` where there is none. */
  readonly publishedDigest: Digest | undefined;
  /** The tag or digest in the template of the function's stack. */
  readonly templateImage: string | undefined;
  readonly stackStatus: string | undefined;
  readonly live: LiveVersion | undefined;
  readonly latest: FunctionVersion | undefined;
  readonly images: readonly StoredImage[];
  readonly leaseHolder: LeaseHolder | undefined;
}

export interface LiveVersion {
  readonly alias: FunctionAlias;
  readonly version: FunctionVersion;
  /** Of the image that is live. */
  readonly tags: readonly string[];
}

/** @throws CodedError `E_TAG_READ_…`, `E_LEASE_MALFORMED` */
export async function readHandoffState(clients: HandoffClients, fn: FunctionOnStage): Promise<HandoffState> {
  const [raw, images, latest, live, template, stackStatus, leaseHolder] = await Promise.all([
    readRawTag(clients, fn),
    listImages(clients, fn),
    findConfiguration(clients, fn, "$LATEST"),
    findLive(clients, fn),
    findTemplate(clients, fn.stackName),
    findStackStatus(clients, fn.stackName),
    readLeaseHolder(clients, fn),
  ]);
  const templateImage = template === undefined ? undefined : listTemplateImages(template)[0];
  return {
    publishedTag: raw?.value,
    publishedDigest: raw && findDigest(images, raw.value),
    templateImage,
    stackStatus,
    live: live && { ...live, tags: images.find(({ digest }) => digest === live.version.digest)?.tags ?? [] },
    latest,
    images,
    leaseHolder,
  };
}

async function findLive(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<Omit<LiveVersion, "tags"> | undefined> {
  const alias = (await listAliases(clients, fn)).find(({ name }) => name === liveAlias);
  const version = alias && (await findConfiguration(clients, fn, alias.version));
  return version && { alias, version };
}

function findDigest(images: readonly StoredImage[], reference: string): Digest | undefined {
  return images.find(({ digest, tags }) => digest === reference || tags.includes(reference))?.digest;
}

/**
 * What disagrees, in sentences; nothing where a deploy now would move no code.
 * That the template names an older tag is no drift: releases don't touch it.
 */
export function findDrift(state: HandoffState): string[] {
  const { publishedTag, publishedDigest, live, latest, images } = state;
  const drift: string[] = [];
  if (publishedTag !== undefined && !isImageTag(publishedTag)) {
    return [`the published tag is malformed: ${JSON.stringify(publishedTag)}`];
  }
  const expected = publishedTag === undefined ? findDigest(images, initialTag) : publishedDigest;
  const name =
    publishedTag === undefined ? `nothing is published (${initialTag})` : `${publishedTag} is published`;
  if (publishedTag !== undefined && publishedDigest === undefined) {
    drift.push(`${publishedTag} is published, but its image does not exist`);
  }
  if (expected !== undefined && live !== undefined && live.version.digest !== expected) {
    drift.push(`${name}, but ${describeImage(live.tags, live.version.digest)} is live`);
  }
  if (expected !== undefined && latest !== undefined && latest.digest !== expected) {
    drift.push(`${name}, but $LATEST has ${latest.digest.slice(0, 19)}`);
  }
  if (
    live !== undefined &&
    latest !== undefined &&
    !isDeepStrictEqual(latest.settings, live.version.settings)
  ) {
    drift.push("a configuration is deployed that is not live");
  }
  for (const [version, weight] of Object.entries(live?.alias.weights ?? {})) {
    drift.push(`${weight * 100}% of the traffic goes to version ${version}: a canary was not finished`);
  }
  return drift;
}

function describeImage(tags: readonly string[], digest: Digest): string {
  return tags.find(isImageTag) ?? tags[0] ?? digest.slice(0, 19);
}

/** One release, rollback or promotion of the past. */
export interface PublishedRelease {
  readonly tag: ImageTag;
  readonly publisher: Publisher;
  readonly at: Date | undefined;
  /** `undefined` where the image has been removed since. */
  readonly digest: Digest | undefined;
  readonly isPublished: boolean;
  readonly isLive: boolean;
}

/** What was published, newest first, up to the last 100; a repeated attempt counts once. */
export async function listReleases(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<PublishedRelease[]> {
  const [history, images, live] = await Promise.all([
    readPublishedHistory(clients, fn),
    listImages(clients, fn),
    findLive(clients, fn),
  ]);
  const entries = history.filter(({ tag, publisher }, index) => {
    const before = history[index - 1];
    return before?.tag !== tag || before.publisher !== publisher;
  });
  return entries
    .map(({ tag, publisher, at }, index) => {
      const digest = findDigest(images, tag);
      const isPublished = index === entries.length - 1;
      return {
        tag,
        publisher,
        at,
        digest,
        isPublished,
        isLive: isPublished && live !== undefined && digest === live.version.digest,
      };
    })
    .reverse();
}
