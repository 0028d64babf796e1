import { createHash, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { type ServiceContext, ServiceException } from "../service.ts";
import { openBlobs } from "./blobs.ts";
import { isImmutable, type Repository } from "./repository.ts";

/** A manifest under its digest; its content is a blob. */
export interface Image {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Of another manifest in the repository, which this one says something about. */
  readonly subject?: string;
  /** Digests of the blobs that it is made of. */
  readonly parts: readonly string[];
  /** Digests of the manifests that it lists, where it is an index. */
  readonly children: readonly string[];
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly pushedAt: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

interface Manifest {
  readonly schemaVersion?: number;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Record<string, string>;
}

export interface PutManifestProps {
  readonly repositoryName: string;
  readonly content: Buffer;
  /** As the client says it; the manifest's own word counts more. */
  readonly mediaType?: string;
  readonly tag?: string;
  /** What the client expects the digest to be. */
  readonly digest?: string;
}

export type Images = ReturnType<typeof openImages>;

export function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Repositories, images, tags and blobs: what the ECR API and the registry both work on. */
export function openImages({ store, now, accountId }: ServiceContext) {
  const blobs = openBlobs(store.directory);
  const repositoryKey = (name: string) => `repository ${name}`;
  const imageKey = (name: string, digest = "") => `image ${name} ${digest}`;
  const tagKey = (name: string, tag = "") => `tag ${name} ${tag}`;

  const findRepository = (name: string) => store.get<Repository>(repositoryKey(name));

  function mustFindRepository(name: string): Repository {
    const repository = findRepository(name);
    if (repository === undefined) {
      throw new ServiceException(
        "RepositoryNotFoundException",
        `The repository with name '${name}' does not exist in the registry with id '${accountId}'`,
      );
    }
    return repository;
  }

  const listRepositories = () =>
    store.keys(repositoryKey("")).flatMap((key) => store.get<Repository>(key) ?? []);

  /** @param reference a tag or a digest */
  function findImage(name: string, reference: string): Image | undefined {
    const digest = reference.includes(":") ? reference : store.get<string>(tagKey(name, reference));
    return digest === undefined ? undefined : store.get<Image>(imageKey(name, digest));
  }

  const listImages = (name: string) =>
    store.keys(imageKey(name)).flatMap((key) => store.get<Image>(key) ?? []);

  /** Digests by tag. */
  const listTags = (name: string) =>
    new Map(
      store.keys(tagKey(name)).map((key) => [key.slice(tagKey(name).length), store.get<string>(key) ?? ""]),
    );

  function refuseTakenTag(repository: Repository, tag: string, digest: string): void {
    const taken = store.get<string>(tagKey(repository.repositoryName, tag));
    if (taken === undefined || taken === digest || !isImmutable(repository, tag)) return;
    throw new ServiceException(
      "ImageTagAlreadyExistsException",
      `The image tag '${tag}' already exists in the '${repository.repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
    );
  }

  function refuseLostParts(name: string, { parts, children }: Image): void {
    const lostPart = parts.find((digest) => !blobs.has(name, digest));
    if (lostPart !== undefined) {
      throw new ServiceException(
        "LayersNotFoundException",
        `The manifest refers to the blob ${lostPart}, which is not in the repository`,
      );
    }
    const lostChild = children.find((digest) => findImage(name, digest) === undefined);
    if (lostChild !== undefined) {
      throw new ServiceException(
        "ReferencedImagesNotFoundException",
        `The index refers to the manifest ${lostChild}, which is not in the repository`,
      );
    }
  }

  function deleteImage(name: string, digest: string): void {
    for (const [tag, tagged] of listTags(name)) if (tagged === digest) store.delete(tagKey(name, tag));
    store.delete(imageKey(name, digest));
    blobs.delete(name, digest);
    // What says something about an image goes with it, as on AWS within a day.
    for (const { subject, digest: referrer } of listImages(name)) {
      if (subject === digest) deleteImage(name, referrer);
    }
  }

  return {
    blobs,
    findRepository,
    mustFindRepository,
    putRepository: (repository: Repository) =>
      store.put(repositoryKey(repository.repositoryName), repository),
    listRepositories,
    deleteRepository(name: string): void {
      for (const key of [...store.keys(imageKey(name)), ...store.keys(tagKey(name))]) store.delete(key);
      store.delete(repositoryKey(name));
      blobs.deleteRepository(name);
    },
    findImage,
    listImages,
    listTags,
    readManifest: (name: string, digest: string) => readFileSync(blobs.pathOf(name, digest)),

    /** @throws ServiceException under the names that the ECR API has */
    putManifest({ repositoryName, content, mediaType, tag, digest }: PutManifestProps): Image {
      const repository = mustFindRepository(repositoryName);
      const image = readImage(content, mediaType, now());
      if (digest !== undefined && digest !== image.digest) {
        throw new ServiceException(
          "ImageDigestDoesNotMatchException",
          `The digest ${digest} was announced, but the manifest has ${image.digest}`,
        );
      }
      refuseLostParts(repositoryName, image);
      if (tag !== undefined) refuseTakenTag(repository, tag, image.digest);
      const known = findImage(repositoryName, image.digest);
      if (known === undefined) {
        const upload = blobs.uploadPath(randomUUID());
        writeFileSync(upload, content);
        blobs.add(repositoryName, image.digest, upload);
        store.put(imageKey(repositoryName, image.digest), image);
      }
      if (tag !== undefined) store.put(tagKey(repositoryName, tag), image.digest);
      return known ?? image;
    },

    untag: (name: string, tag: string) => store.delete(tagKey(name, tag)),
    deleteImage,

    /** Deletes the blobs that no image has (any more). Nothing may be uploading. */
    deleteUnusedBlobs(): void {
      for (const { repositoryName } of listRepositories()) {
        const used = new Set(listImages(repositoryName).flatMap(({ digest, parts }) => [digest, ...parts]));
        for (const digest of blobs.list(repositoryName)) {
          if (!used.has(digest)) blobs.delete(repositoryName, digest);
        }
      }
    },
  };
}

/** What ECR keeps. @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html */
const manifestTypes = new Set([
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
]);

function readImage(content: Buffer, announcedType: string | undefined, pushedAt: number): Image {
  const manifest = parseManifest(content);
  const { config, layers, manifests, mediaType = announcedType } = manifest;
  const hasContent = manifests !== undefined || (config !== undefined && layers !== undefined);
  if (
    manifest.schemaVersion !== 2 ||
    !hasContent ||
    mediaType === undefined ||
    !manifestTypes.has(mediaType)
  ) {
    throw invalidManifest(`schemaVersion ${manifest.schemaVersion}, mediaType ${mediaType}`);
  }
  const parts = [...(config ? [config] : []), ...(layers ?? [])];
  return {
    digest: digestOf(content),
    mediaType,
    artifactType: manifest.artifactType ?? config?.mediaType,
    subject: manifest.subject?.digest,
    parts: parts.map(({ digest }) => digest),
    children: (manifests ?? []).map(({ digest }) => digest),
    sizeBytes: parts.reduce((sum, { size }) => sum + size, 0),
    pushedAt,
    annotations: manifest.annotations,
  };
}

function parseManifest(content: Buffer): Manifest {
  try {
    return Object(JSON.parse(content.toString())) as Manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidManifest(error.message);
  }
}

/** ECR has one sentence for all that is wrong with a manifest. */
function invalidManifest(detail: string): ServiceException {
  return new ServiceException(
    "InvalidParameterException",
    `Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax' (${detail})`,
  );
}
