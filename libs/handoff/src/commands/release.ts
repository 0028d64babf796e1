import { isDeepStrictEqual } from "node:util";
import type { FunctionOnStage, ImageTag } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import {
  addTag,
  buildTagTakenError,
  checkImage,
  type Digest,
  findImage,
  requireRepositoryUri,
} from "../images/images.ts";
import type { Lease, LeaseProps } from "../lease/lease.ts";
import { withLease } from "../lease/lease.ts";
import type { CanaryProps } from "../live/canary.ts";
import { findConfiguration, findLiveConfiguration, requireLiveAlias } from "../live/function-state.ts";
import { type LiveResult, makeLive } from "../live/make-live.ts";
import { publishLive } from "../live/publish-live.ts";
import type { OnProgress } from "../progress.ts";
import { readRawTag } from "../published/published-tag.ts";
import { waitUntilStackSettled } from "../stack/stack.ts";

/** Where an image is to be pushed. */
export interface PushTarget {
  /** `123456789012.dkr.ecr.eu-central-1.amazonaws.com/lambda-app-dev` */
  readonly repositoryUri: string;
  /** `content-…`: pushed first, so that a push that was cut short is found and finished by the next run. */
  readonly contentTag: string;
  /** `repositoryUri:contentTag` */
  readonly imageUri: string;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
}

export interface ReleaseProps {
  /** Of the commit. */
  readonly tag: ImageTag;
  /** Of the content: `buildContentTag(contentId)`. */
  readonly contentTag: string;
  /** Builds the image and pushes it as `target.imageUri`; called only where the repository doesn't have the content. */
  readonly push: (target: PushTarget) => Promise<void>;
  readonly smokeEvent?: string | undefined;
  readonly canary?: CanaryProps | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly leaseTerms?: LeaseProps["terms"];
}

/** What a release would do, or did. */
export interface ReleasePlan {
  /** `push`: build and push; `tag`: the content is there, the commit's tag is added; `none`: both are there. */
  readonly image: "push" | "tag" | "none";
  /** Whether code or configuration that is not live would become so. */
  readonly movesCode: boolean;
  readonly publishesTag: boolean;
}

export interface ReleaseResult {
  /** `unchanged`: nothing was built, pushed, moved or published. */
  readonly kind: "unchanged" | "released";
  readonly tag: ImageTag;
  readonly digest: Digest;
  readonly image: ReleasePlan["image"];
  /** `undefined` where nothing was touched at all, not even the lease. */
  readonly live: LiveResult | undefined;
}

/**
 * Image -> live -> published, in this order and under the lease. Content that is live and published under this tag
 * already is left alone, without even taking the lease.
 * @throws CodedError `E_REPOSITORY_MISSING`, `E_TAG_TAKEN`, `E_IMAGE_IS_INDEX`, `E_IMAGE_ARCHITECTURE`,
 * `E_FUNCTION_MISSING` (the image is in the repository then, nothing is published), and those of
 * {@link withLease}, {@link makeLive}, {@link publishLive}
 */
export async function releaseImage(
  clients: HandoffClients,
  fn: FunctionOnStage,
  props: ReleaseProps,
): Promise<ReleaseResult> {
  const { tag, smokeEvent, canary, onProgress = () => {}, leaseTerms: terms } = props;
  const unchanged = await findUnchanged(clients, fn, props);
  if (unchanged !== undefined) {
    return { kind: "unchanged", tag, digest: unchanged, image: "none", live: undefined };
  }
  return withLease(clients, fn, { command: `release ${tag}`, onProgress, terms }, async (lease) => {
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const { image, digest } = await ensureImage(clients, fn, lease, props);
    const live = await makeLive(clients, fn, lease, { digest, smokeEvent, canary, onProgress });
    await publishLive(clients, fn, lease, { tag, publisher: "release", live, onProgress });
    return { kind: "released", tag, digest, image, live };
  });
}

/** What {@link releaseImage} would do now; moves nothing. @throws CodedError `E_REPOSITORY_MISSING` */
export async function planRelease(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { tag, contentTag }: Pick<ReleaseProps, "tag" | "contentTag">,
): Promise<ReleasePlan> {
  await requireRepositoryUri(clients, fn);
  const { plan } = await readReleasePlan(clients, fn, { tag, contentTag });
  return plan;
}

async function readReleasePlan(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { tag, contentTag }: Pick<ReleaseProps, "tag" | "contentTag">,
): Promise<{ readonly plan: ReleasePlan; readonly digest: Digest | undefined }> {
  const [content, tagged, published] = await Promise.all([
    findImage(clients, fn, contentTag),
    findImage(clients, fn, tag),
    readRawTag(clients, fn),
  ]);
  const plan: ReleasePlan = {
    image: content === undefined ? "push" : tagged?.digest === content.digest ? "none" : "tag",
    movesCode: content === undefined || !(await isLive(clients, fn, content.digest)),
    publishesTag: published?.value !== tag,
  };
  return { plan, digest: content?.digest };
}

/** The digest, where everything that a release would do is done. */
async function findUnchanged(
  clients: HandoffClients,
  fn: FunctionOnStage,
  props: ReleaseProps,
): Promise<Digest | undefined> {
  const { plan, digest } = await readReleasePlan(clients, fn, props);
  return plan.image === "none" && !plan.movesCode && !plan.publishesTag ? digest : undefined;
}

/** Whether the image, with the configuration of `$LATEST`, has all the traffic. */
async function isLive(clients: HandoffClients, fn: FunctionOnStage, digest: Digest): Promise<boolean> {
  const [latest, live] = await Promise.all([
    findConfiguration(clients, fn, "$LATEST"),
    findLiveConfiguration(clients, fn),
  ]);
  if (latest?.digest !== digest || live?.digest !== digest) return false;
  if (latest.lastUpdateStatus === "InProgress" || !isDeepStrictEqual(latest.settings, live.settings))
    return false;
  const { weights } = await requireLiveAlias(clients, fn);
  return Object.keys(weights).length === 0;
}

async function ensureImage(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  { tag, contentTag, push, onProgress = () => {} }: ReleaseProps,
): Promise<{ readonly image: ReleasePlan["image"]; readonly digest: Digest }> {
  const repositoryUri = await requireRepositoryUri(clients, fn);
  const tagged = await findImage(clients, fn, tag);
  let content = await findImage(clients, fn, contentTag);
  const wasThere = content !== undefined;
  if (content === undefined) {
    if (tagged !== undefined) throw buildTagTakenError(fn, tag, tagged.digest);
    onProgress({ kind: "step", text: `${contentTag} is not in the repository: it is built and pushed` });
    await lease.check();
    await push({
      repositoryUri,
      contentTag,
      imageUri: `${repositoryUri}:${contentTag}`,
      signal: lease.signal,
    });
    await lease.check();
    content = await findImage(clients, fn, contentTag);
  }
  const digest = await checkImage(clients, fn, content?.digest ?? contentTag, {
    codePrefix: "E_IMAGE",
    subject: "the image to release",
    remedy: "The push said that it was done, but ECR has no such image: release again.",
    architectureRemedy:
      "The container CLI has built for another platform than it was asked for: name another by CDK_DOCKER, change something, and release that.",
  });
  await addTag(clients, fn, lease, digest, tag);
  return { image: wasThere ? (tagged?.digest === digest ? "none" : "tag") : "push", digest };
}
