import {
  BatchGetImageCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetDownloadUrlForLayerCommand,
  type ImageDetail,
  PutImageCommand,
} from "@aws-sdk/client-ecr";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";
import { isAwsError, unlessAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import type { Lease } from "../lease/lease.ts";

/** `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

/** An image in the function's repository. */
export interface StoredImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** The artifact type of what is attached to an image, such as an SBOM; `undefined` for images. */
  readonly artifactType: string | undefined;
}

type ImageClients = Pick<HandoffClients, "ecr" | "download">;

/** `123456789012.dkr.ecr.eu-central-1.amazonaws.com/lambda-app-dev`, as ECR says it; `undefined` where there is no repository. */
export async function findRepositoryUri(
  { ecr }: ImageClients,
  { repositoryName }: FunctionOnStage,
): Promise<string | undefined> {
  const command = new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] });
  const answer = await unlessAwsError(ecr.send(command), "RepositoryNotFoundException");
  return answer?.repositories?.[0]?.repositoryUri;
}

/** @throws CodedError `E_REPOSITORY_MISSING` */
export async function requireRepositoryUri(clients: ImageClients, fn: FunctionOnStage): Promise<string> {
  const uri = await findRepositoryUri(clients, fn);
  if (uri === undefined) {
    throw new CodedError({
      code: "E_REPOSITORY_MISSING",
      what: "the function has no image repository yet",
      value: fn.repositoryName,
      remedy: `Run \`nx run infra:deploy --stage ${fn.stage.name}\` first, then this again.`,
    });
  }
  return uri;
}

/**
 * @param reference a tag, or a digest with its `sha256:`
 * @returns `undefined` where the image or the whole repository does not exist
 */
export async function findImage(
  { ecr }: ImageClients,
  { repositoryName }: FunctionOnStage,
  reference: string,
): Promise<StoredImage | undefined> {
  const imageId = isDigest(reference) ? { imageDigest: reference } : { imageTag: reference };
  const command = new DescribeImagesCommand({ repositoryName, imageIds: [imageId] });
  const answer = await unlessAwsError(
    ecr.send(command),
    "ImageNotFoundException",
    "RepositoryNotFoundException",
  );
  return answer?.imageDetails?.map(toStoredImage)[0];
}

/** Every image of the repository, and what is attached to images; none where there is no repository. */
export async function listImages(
  { ecr }: ImageClients,
  { repositoryName }: FunctionOnStage,
): Promise<StoredImage[]> {
  const images: StoredImage[] = [];
  let nextToken: string | undefined;
  do {
    const command = new DescribeImagesCommand({ repositoryName, maxResults: 1000, nextToken });
    const page = await unlessAwsError(ecr.send(command), "RepositoryNotFoundException");
    images.push(...(page?.imageDetails ?? []).map(toStoredImage));
    nextToken = page?.nextToken;
  } while (nextToken !== undefined);
  return images;
}

function toStoredImage(detail: ImageDetail): StoredImage {
  return {
    digest: parseDigest(detail.imageDigest ?? ""),
    tags: detail.imageTags ?? [],
    artifactType:
      detail.artifactMediaType?.startsWith("application/vnd.oci.image.config.") ||
      detail.artifactMediaType?.startsWith("application/vnd.docker.container.image.")
        ? undefined
        : detail.artifactMediaType,
  };
}

/** Lambda gives the digest of an image as 64 hex digits, in `CodeSha256`. */
export function toDigest(codeSha256: string): Digest {
  return parseDigest(`sha256:${codeSha256}`);
}

export function toCodeSha256(digest: Digest): string {
  return digest.slice("sha256:".length);
}

function isDigest(value: string): value is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(value);
}

function parseDigest(value: string): Digest {
  if (!isDigest(value)) {
    throw new CodedError({
      code: "E_DIGEST_MALFORMED",
      what: "AWS answered with something that is no digest of an image",
      value,
      remedy: "Is the function's package type Image? This workspace releases functions from images only.",
    });
  }
  return value;
}

const singleManifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
const indexTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/**
 * What Lambda demands of an image: it exists, is a single-platform manifest, and fits the architecture.
 * @param reference a tag or a digest
 * @param subject names the image in an error: `the published image`
 * @throws CodedError `…_MISSING`, `…_IS_INDEX`, `…_ARCHITECTURE`, each behind `codePrefix`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs
 */
export async function checkImage(
  clients: ImageClients,
  fn: FunctionOnStage,
  reference: string,
  { codePrefix, subject, remedy, architectureRemedy }: ImageCheckProps,
): Promise<Digest> {
  const value = `${fn.repositoryName}:${reference}`;
  const found = await readManifest(clients, fn, reference);
  if (found === undefined) {
    const what = `${subject} does not exist in the repository`;
    throw new CodedError({ code: `${codePrefix}_MISSING`, what, value, remedy });
  }
  if (!singleManifestTypes.includes(found.mediaType)) {
    throw new CodedError({
      code: `${codePrefix}_IS_INDEX`,
      what: `${subject} is an index of several platforms or attestations (${found.mediaType}), which Lambda refuses`,
      value,
      remedy:
        "Build for one platform and without attestations (BUILDX_NO_DEFAULT_ATTESTATIONS=1); release again.",
    });
  }
  const architecture = await readArchitecture(clients, fn, found.manifest);
  const wanted = fn.architecture === "arm64" ? "arm64" : "amd64";
  if (architecture !== wanted) {
    throw new CodedError({
      code: `${codePrefix}_ARCHITECTURE`,
      what: `${subject} is for ${architecture}, the function runs on ${wanted}`,
      value,
      remedy: architectureRemedy,
    });
  }
  return found.digest;
}

export interface ImageCheckProps {
  readonly codePrefix: "E_PUBLISHED_IMAGE" | "E_IMAGE";
  readonly subject: string;
  /** What to do where the image is missing. */
  readonly remedy: string;
  /** What to do where it is for another architecture than the function table says. */
  readonly architectureRemedy: string;
}

/**
 * Gives an image of the repository one more tag, without building or pushing anything.
 * @throws CodedError `E_TAG_TAKEN` where the tag names another image, `E_IMAGE_MISSING`
 */
export async function addTag(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  digest: Digest,
  tag: string,
): Promise<void> {
  const { repositoryName } = fn;
  const present = await findImage(clients, fn, tag);
  if (present?.digest === digest) return;
  if (present !== undefined) throw buildTagTakenError(fn, tag, present.digest);
  const found = await readManifest(clients, fn, digest);
  if (found === undefined) {
    throw new CodedError({
      code: "E_IMAGE_MISSING",
      what: "the image that was to be tagged does not exist in the repository any more",
      value: `${repositoryName}@${digest}`,
      remedy: "Run `release` again.",
    });
  }
  const put = new PutImageCommand({
    repositoryName,
    imageManifest: found.manifest,
    imageManifestMediaType: found.mediaType,
    imageDigest: digest,
    imageTag: tag,
  });
  try {
    await lease.guard((options) => clients.ecr.send(put, options));
  } catch (error) {
    // A repeated attempt finds its own tag.
    if (isAwsError(error, "ImageAlreadyExistsException")) return;
    if (isAwsError(error, "ImageTagAlreadyExistsException"))
      throw buildTagTakenError(fn, tag, undefined, error);
    throw error;
  }
}

export function buildTagTakenError(
  fn: FunctionOnStage,
  tag: string,
  digest: Digest | undefined,
  cause?: unknown,
): CodedError {
  return new CodedError({
    code: "E_TAG_TAKEN",
    what: `the tag ${fn.repositoryName}:${tag} names another image already, and tags are immutable`,
    value: digest,
    remedy:
      "Commit what is different (the code, or the base image that is built on), then release that commit.",
    ...(cause !== undefined && { cause }),
  });
}

interface FoundManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly manifest: string;
}

async function readManifest(
  { ecr }: ImageClients,
  { repositoryName }: FunctionOnStage,
  reference: string,
): Promise<FoundManifest | undefined> {
  const command = new BatchGetImageCommand({
    repositoryName,
    imageIds: [isDigest(reference) ? { imageDigest: reference } : { imageTag: reference }],
    acceptedMediaTypes: [...singleManifestTypes, ...indexTypes],
  });
  const answer = await unlessAwsError(ecr.send(command), "RepositoryNotFoundException");
  const failure = answer?.failures?.find(({ failureCode }) => failureCode !== "ImageNotFound");
  if (failure !== undefined) throw new Error(`ECR: ${failure.failureCode} ${failure.failureReason}`);
  const image = answer?.images?.[0];
  if (image === undefined) return undefined;
  return {
    digest: parseDigest(image.imageId?.imageDigest ?? ""),
    mediaType: image.imageManifestMediaType ?? "",
    manifest: image.imageManifest ?? "",
  };
}

/** As the image's configuration says: `amd64`, `arm64`. @see https://specs.opencontainers.org/image-spec/config/ */
async function readArchitecture(
  { ecr, download }: ImageClients,
  { repositoryName }: FunctionOnStage,
  manifest: string,
): Promise<string> {
  const { config } = JSON.parse(manifest) as { config: { digest: string } };
  const command = new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: config.digest });
  const { downloadUrl = "" } = await ecr.send(command);
  const { architecture } = JSON.parse(await download(downloadUrl)) as { architecture: string };
  return architecture;
}
