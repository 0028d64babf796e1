import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ServiceContext, ServiceException } from "../service.ts";

export interface Repository {
  readonly repositoryName: string;
  readonly imageTagMutability:
    | "MUTABLE"
    | "IMMUTABLE"
    | "IMMUTABLE_WITH_EXCLUSION"
    | "MUTABLE_WITH_EXCLUSION";
  readonly imageTagMutabilityExclusionFilters?: readonly {
    readonly filter: string;
    readonly filterType: string;
  }[];
  readonly imageScanningConfiguration: { readonly scanOnPush: boolean };
  readonly encryptionConfiguration: { readonly encryptionType: string; readonly kmsKey?: string };
  readonly createdAt: number;
  readonly lifecyclePolicyText?: string;
  readonly policyText?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A manifest under its digest; its content is a blob. */
export interface Image {
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Of another manifest in the repository, which this one says something about. */
  readonly subject?: string;
  readonly sizeBytes: number;
  readonly pushedAt: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
}

interface Manifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Record<string, string>;
}

/** Repositories, images, tags and blobs: what the ECR API and the registry both work on. */
export type Images = ReturnType<typeof openImages>;

export function openImages({ store, now, accountId }: ServiceContext) {
  const blobs = join(store.directory, "blobs");
  const uploads = join(store.directory, "uploads");
  mkdirSync(blobs, { recursive: true });
  mkdirSync(uploads, { recursive: true });

  const blobPath = (digest: string) => join(blobs, digest.replace(":", "-"));
  const hasBlob = (digest: string) => existsSync(blobPath(digest));

  function findRepository(name: string): Repository | undefined {
    return store.get<Repository>(`repository ${name}`);
  }

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

  const imagePrefix = (repository: string) => `image ${repository} `;
  const tagPrefix = (repository: string) => `tag ${repository} `;

  /** @param reference a tag or a digest */
  function findImage(repository: string, reference: string): Image | undefined {
    const digest = reference.includes(":")
      ? reference
      : store.get<string>(`${tagPrefix(repository)}${reference}`);
    return digest === undefined ? undefined : store.get<Image>(`${imagePrefix(repository)}${digest}`);
  }

  function listTags(repository: string): Map<string, string> {
    const keys = store.keys(tagPrefix(repository));
    return new Map(
      keys.map((key) => [key.slice(tagPrefix(repository).length), store.get<string>(key) ?? ""]),
    );
  }

  return {
    blobPath,
    hasBlob,
    uploadsDirectory: uploads,
    findRepository,
    mustFindRepository,
    putRepository: (repository: Repository) =>
      store.put(`repository ${repository.repositoryName}`, repository),
    listRepositories: () =>
      store.keys("repository ").map((key) => mustFindRepository(key.slice("repository ".length))),
    deleteRepository(name: string) {
      for (const key of [...store.keys(imagePrefix(name)), ...store.keys(tagPrefix(name))]) store.delete(key);
      store.delete(`repository ${name}`);
    },
    findImage,
    listImages: (repository: string) =>
      store.keys(imagePrefix(repository)).flatMap((key) => store.get<Image>(key) ?? []),
    listTags,
    readManifest: (digest: string) => readFileSync(blobPath(digest)),
    sizeOf: (digest: string) => statSync(blobPath(digest)).size,
    /** Takes a finished upload in under its digest. */
    addBlob(digest: string, path: string) {
      renameSync(path, blobPath(digest));
    },

    /** @throws ServiceException under the names that the ECR API has for each */
    putManifest(
      repositoryName: string,
      reference: string | undefined,
      content: Buffer,
      mediaType: string,
    ): Image {
      const repository = mustFindRepository(repositoryName);
      const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
      const manifest = JSON.parse(content.toString()) as Manifest;
      const parts = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
      const lost = parts.find((part) => !hasBlob(part.digest));
      if (lost !== undefined) {
        throw new ServiceException(
          "LayersNotFoundException",
          `The manifest refers to the unknown blob ${lost.digest}`,
        );
      }
      const child = manifest.manifests?.find((part) => findImage(repositoryName, part.digest) === undefined);
      if (child !== undefined) {
        throw new ServiceException(
          "ReferencedImagesNotFoundException",
          `The index refers to the unknown ${child.digest}`,
        );
      }
      if (reference?.includes(":") && reference !== digest) {
        throw new ServiceException(
          "ImageDigestDoesNotMatchException",
          `${reference} was announced, the manifest is ${digest}`,
        );
      }
      const tag = reference?.includes(":") ? undefined : reference;
      if (tag !== undefined) refuseTakenTag(repository, tag, digest);
      const path = join(uploads, digest.replace(":", "-"));
      writeFileSync(path, content);
      renameSync(path, blobPath(digest));
      const known = findImage(repositoryName, digest);
      const image: Image = known ?? {
        digest,
        mediaType: manifest.mediaType ?? mediaType,
        artifactType: manifest.artifactType ?? (manifest.subject && manifest.config?.mediaType),
        subject: manifest.subject?.digest,
        sizeBytes: parts.reduce((sum, part) => sum + part.size, 0),
        pushedAt: now(),
        annotations: manifest.annotations,
      };
      store.put(`${imagePrefix(repositoryName)}${digest}`, image);
      if (tag !== undefined) store.put(`${tagPrefix(repositoryName)}${tag}`, digest);
      return image;
    },

    untag: (repository: string, tag: string) => store.delete(`${tagPrefix(repository)}${tag}`),
    deleteImage(repository: string, digest: string) {
      for (const [tag, tagged] of listTags(repository))
        if (tagged === digest) store.delete(`${tagPrefix(repository)}${tag}`);
      store.delete(`${imagePrefix(repository)}${digest}`);
    },
    discard: (path: string) => rmSync(path, { force: true }),
  };

  function refuseTakenTag(repository: Repository, tag: string, digest: string): void {
    const taken = store.get<string>(`${tagPrefix(repository.repositoryName)}${tag}`);
    if (taken === undefined || taken === digest || !isImmutable(repository, tag)) return;
    throw new ServiceException(
      "ImageTagAlreadyExistsException",
      `The image tag '${tag}' already exists in the '${repository.repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
    );
  }
}

/** @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html */
export function isImmutable(
  { imageTagMutability, imageTagMutabilityExclusionFilters = [] }: Repository,
  tag: string,
): boolean {
  const excluded = imageTagMutabilityExclusionFilters.some(({ filter }) => {
    const pattern = filter.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${pattern.join(".*")}$`).test(tag);
  });
  switch (imageTagMutability) {
    case "IMMUTABLE":
      return true;
    case "IMMUTABLE_WITH_EXCLUSION":
      return !excluded;
    case "MUTABLE_WITH_EXCLUSION":
      return excluded;
    case "MUTABLE":
      return false;
  }
}
