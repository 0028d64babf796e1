import { BatchDeleteImageCommand } from "@aws-sdk/client-ecr";
import { DeleteFunctionCommand } from "@aws-sdk/client-lambda";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";
import { isAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import { listImages, type StoredImage } from "../images/images.ts";
import { type Lease, type LeaseProps, withLease } from "../lease/lease.ts";
import {
  type FunctionVersion,
  findConfiguration,
  listAliases,
  listVersions,
} from "../live/function-state.ts";
import type { OnProgress } from "../progress.ts";
import { planRetention, type Retained, type RetentionFacts, type RetentionPlan } from "../prune/keep-set.ts";
import { readPublishedHistory, readPublishedTag } from "../published/published-tag.ts";
import { findTemplate, listTemplateImages, waitUntilStackSettled } from "../stack/stack.ts";

export interface PruneProps {
  /** How many of the last releases stay, at least 1. @default 10 */
  readonly keepReleases?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly leaseTerms?: LeaseProps["terms"];
}

/**
 * Removes the versions and images that nothing needs, and says what stays and why.
 * @throws CodedError `E_KEEP_INVALID`, `E_IMAGES_NOT_DELETED`, and those of {@link withLease}
 */
export async function prune(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { keepReleases = defaultKeepReleases, onProgress = () => {}, leaseTerms: terms }: PruneProps,
): Promise<RetentionPlan> {
  refuseKeep(keepReleases);
  return withLease(clients, fn, { command: "prune", onProgress, terms }, async (lease) => {
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const first = await planPrune(clients, fn, keepReleases);
    if (![...first.versions, ...first.images].some(mayGo)) return first;
    // Reads may lag behind what was written just before, which is nowhere as bad as here.
    await clients.clock.wait(longestLagMs, lease.signal);
    const plan = await planPrune(clients, fn, keepReleases);
    // Versions first: an image may go only once nothing can run it any more.
    for (const { item } of plan.versions.filter(mayGo)) await deleteVersion(clients, fn, lease, item);
    for (const { item } of plan.images.filter(mayGo)) await deleteImage(clients, fn, lease, item);
    return plan;
  });
}

const longestLagMs = 3_000;

const mayGo = ({ reasons }: Retained<unknown>) => reasons.length === 0;

export const defaultKeepReleases = 10;

/** What {@link prune} would remove now, and what stays and why; moves nothing. @throws CodedError `E_KEEP_INVALID` */
export async function planPrune(
  clients: HandoffClients,
  fn: FunctionOnStage,
  keepReleases: number = defaultKeepReleases,
): Promise<RetentionPlan> {
  refuseKeep(keepReleases);
  return planRetention(await readRetentionFacts(clients, fn), keepReleases);
}

async function readRetentionFacts(clients: HandoffClients, fn: FunctionOnStage): Promise<RetentionFacts> {
  const [images, latest, versions, aliases, publishedTag, history, template] = await Promise.all([
    listImages(clients, fn),
    findConfiguration(clients, fn, "$LATEST"),
    listVersions(clients, fn),
    listAliases(clients, fn),
    readPublishedTag(clients, fn),
    readPublishedHistory(clients, fn),
    findTemplate(clients, fn.stackName),
  ]);
  const templateImages = template === undefined ? [] : listTemplateImages(template);
  return { images, latest, versions, aliases, publishedTag, history, templateImages };
}

function refuseKeep(keepReleases: number): void {
  if (Number.isInteger(keepReleases) && keepReleases >= 1) return;
  throw new CodedError({
    code: "E_KEEP_INVALID",
    what: "at least one release has to stay",
    value: keepReleases,
    remedy: "Give --keep a whole number of 1 or more.",
  });
}

async function deleteVersion(
  { lambda }: HandoffClients,
  { functionName: FunctionName }: FunctionOnStage,
  lease: Lease,
  { version }: FunctionVersion,
): Promise<void> {
  const command = new DeleteFunctionCommand({ FunctionName, Qualifier: version });
  try {
    await lease.guard((options) => lambda.send(command, options));
  } catch (error) {
    // A repeated attempt finds it gone.
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
  }
}

async function deleteImage(
  { ecr }: HandoffClients,
  { repositoryName }: FunctionOnStage,
  lease: Lease,
  { digest, tags }: StoredImage,
): Promise<void> {
  const command = new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: digest }] });
  const { failures = [] } = await lease.guard((options) => ecr.send(command, options));
  const failure = failures.find(({ failureCode }) => failureCode !== "ImageNotFound");
  if (failure === undefined) return;
  throw new CodedError({
    code: "E_IMAGES_NOT_DELETED",
    what: `ECR did not delete ${repositoryName}:${tags[0] ?? digest}`,
    value: `${failure.failureCode}: ${failure.failureReason}`,
    remedy: "See what ECR says; run `prune` again.",
  });
}
