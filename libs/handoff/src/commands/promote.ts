import { CodedError, type FunctionOnStage, type ImageTag } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { addTag, checkImage, type Digest, findImage, requireRepositoryUri } from "../images/images.ts";
import { type Lease, type LeaseProps, withLease } from "../lease/lease.ts";
import type { CanaryProps } from "../live/canary.ts";
import { type LiveResult, makeLive } from "../live/make-live.ts";
import { publishLive } from "../live/publish-live.ts";
import type { OnProgress } from "../progress.ts";
import { findPublished } from "../published/resolve.ts";
import { waitUntilStackSettled } from "../stack/stack.ts";

/** One side of a promotion; they may be in different accounts and regions. */
export interface PromotionSide {
  readonly clients: HandoffClients;
  readonly fn: FunctionOnStage;
}

export interface CopyProps {
  /** `…/lambda-app-dev@sha256:…` */
  readonly sourceUri: string;
  /** `…/lambda-app-prod:content-…`, or with the release's tag where the source has no content tag */
  readonly targetUri: string;
  /** Aborts when the lease is lost. */
  readonly signal: AbortSignal;
}

export interface PromoteProps {
  /** Throws where this must not be promoted; asked before anything is copied. */
  readonly checkSource: (source: PromotionSource) => Promise<void>;
  /** Copies the image from registry to registry, manifest and all, so that the digest stays. */
  readonly copyImage: (props: CopyProps) => Promise<void>;
  readonly smokeEvent?: string | undefined;
  readonly canary?: CanaryProps | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly leaseTerms?: LeaseProps["terms"];
}

export interface PromotionSource {
  readonly tag: ImageTag;
  readonly digest: Digest;
  readonly contentTags: readonly string[];
}

export interface PromoteResult {
  readonly tag: ImageTag;
  readonly digest: Digest;
  readonly image: "copied" | "none";
  readonly live: LiveResult;
}

/**
 * Makes what is published on one stage live and published on another, without building anything.
 * @throws CodedError `E_NOTHING_TO_PROMOTE`, `E_COPY_DIFFERS`, those of `checkSource`, and those of
 * {@link planPromotion}, {@link withLease}, {@link makeLive}, {@link publishLive}
 */
export async function promoteImage(
  from: PromotionSide,
  to: PromotionSide,
  { checkSource, copyImage, smokeEvent, canary, onProgress = () => {}, leaseTerms: terms }: PromoteProps,
): Promise<PromoteResult> {
  const { clients, fn } = to;
  const command = `promote from ${from.fn.stage.name}`;
  return withLease(clients, fn, { command, onProgress, terms }, async (lease) => {
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const source = await planPromotion(from);
    await checkSource(source);
    const image = await ensureCopy(from, to, lease, source, copyImage, onProgress);
    const digest = await checkImage(clients, fn, source.digest, {
      codePrefix: "E_IMAGE",
      subject: "the promoted image",
      remedy: "The copy said that it was done, but ECR has no such image: promote again.",
      architectureRemedy: `Release on ${from.fn.stage.name} first, which builds for the function's architecture, then promote again.`,
    });
    const live = await makeLive(clients, fn, lease, { digest, smokeEvent, canary, onProgress });
    await publishLive(clients, fn, lease, { tag: source.tag, publisher: "promote", live, onProgress });
    return { tag: source.tag, digest, image, live };
  });
}

/**
 * What {@link promoteImage} would promote now; moves nothing. Reads no function: who may only copy images may not.
 * @throws CodedError `E_NOTHING_TO_PROMOTE`, and those of {@link findPublished}
 */
export async function planPromotion({ clients, fn }: PromotionSide): Promise<PromotionSource> {
  const published = await findPublished(clients, fn);
  if (published === undefined) {
    throw new CodedError({
      code: "E_NOTHING_TO_PROMOTE",
      what: `nothing is published on stage ${fn.stage.name}`,
      value: fn.imageTagParameter,
      remedy: `Run \`nx run ${fn.project}:release --stage ${fn.stage.name}\` first.`,
    });
  }
  const image = await findImage(clients, fn, published.digest);
  const contentTags = image?.tags.filter((tag) => tag.startsWith("content-")) ?? [];
  return { tag: published.tag, digest: published.digest, contentTags };
}

async function ensureCopy(
  from: PromotionSide,
  to: PromotionSide,
  lease: Lease,
  { tag, digest, contentTags }: PromotionSource,
  copyImage: PromoteProps["copyImage"],
  onProgress: OnProgress,
): Promise<PromoteResult["image"]> {
  const repositoryUri = await requireRepositoryUri(to.clients, to.fn);
  const isThere = (await findImage(to.clients, to.fn, digest)) !== undefined;
  if (!isThere) {
    const sourceUri = `${await requireRepositoryUri(from.clients, from.fn)}@${digest}`;
    const firstTag = contentTags[0] ?? tag;
    onProgress({ kind: "step", text: `${tag} is copied from ${from.fn.stage.name}` });
    await lease.check();
    await copyImage({ sourceUri, targetUri: `${repositoryUri}:${firstTag}`, signal: lease.signal });
    await lease.check();
    const copied = await findImage(to.clients, to.fn, firstTag);
    if (copied?.digest !== digest) {
      throw new CodedError({
        code: "E_COPY_DIFFERS",
        what: `the copy is not the image that is published on ${from.fn.stage.name}`,
        value: copied?.digest,
        remedy: `Copy the manifest as it is, so that the digest stays ${digest}.`,
      });
    }
  }
  for (const each of [...contentTags, tag]) await addTag(to.clients, to.fn, lease, digest, each);
  return isThere ? "none" : "copied";
}
