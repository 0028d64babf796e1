import { buildAwsError } from "./aws-answer.ts";

export interface FakeImage {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Whether it is an index of several platforms. */
  readonly isIndex: boolean;
}

export interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

interface Repository {
  readonly images: Map<string, FakeImage>;
  /** Digest by tag. */
  readonly tags: Map<string, string>;
}

/** Repositories with immutable tags, but for `initial`. */
export function createFakeEcr(
  onDelete: (repositoryName: string, digest: string, tags: readonly string[]) => void,
) {
  const repositories = new Map<string, Repository>();

  function mustFind(name: string): Repository {
    const repository = repositories.get(name);
    if (repository === undefined) throw buildAwsError("RepositoryNotFoundException");
    return repository;
  }

  function findImage(name: string, { imageDigest, imageTag }: ImageId): FakeImage | undefined {
    const { images, tags } = mustFind(name);
    return images.get(imageDigest ?? tags.get(imageTag ?? "") ?? "");
  }

  const tagsOf = (name: string, digest: string) =>
    [...mustFind(name).tags].flatMap(([tag, tagged]) => (tagged === digest ? [tag] : []));

  const describe = (name: string, { digest, isIndex }: FakeImage) => ({
    imageDigest: digest,
    imageTags: tagsOf(name, digest),
    imageManifestMediaType: mediaTypeOf(isIndex),
  });

  function push(name: string, tag: string, image: FakeImage): void {
    const { images, tags } = mustFind(name);
    const taken = tags.get(tag);
    if (taken !== undefined && taken !== image.digest && tag !== "initial") {
      throw buildAwsError("ImageTagAlreadyExistsException");
    }
    images.set(image.digest, image);
    tags.set(tag, image.digest);
  }

  return {
    createRepository: (name: string) => {
      if (!repositories.has(name)) repositories.set(name, { images: new Map(), tags: new Map() });
    },
    push,
    findByTag: (name: string, imageTag: string) =>
      repositories.has(name) ? findImage(name, { imageTag }) : undefined,
    findByDigest: (name: string, imageDigest: string) =>
      repositories.has(name) ? findImage(name, { imageDigest }) : undefined,
    operations: {
      DescribeRepositories({ repositoryNames: [name = ""] }: { repositoryNames: string[] }) {
        mustFind(name);
        return { repositories: [{ repositoryUri: `registry.example/${name}` }] };
      },
      DescribeImages({ repositoryName, imageIds }: { repositoryName: string; imageIds?: ImageId[] }) {
        const { images } = mustFind(repositoryName);
        const found = imageIds?.map((id) => {
          const image = findImage(repositoryName, id);
          if (image === undefined) throw buildAwsError("ImageNotFoundException");
          return image;
        });
        return {
          imageDetails: (found ?? [...images.values()]).map((image) => describe(repositoryName, image)),
        };
      },
      BatchGetImage({
        repositoryName,
        imageIds: [id = {}],
      }: {
        repositoryName: string;
        imageIds: ImageId[];
      }) {
        const image = findImage(repositoryName, id);
        if (image === undefined) return { images: [], failures: [{ failureCode: "ImageNotFound" }] };
        const imageManifest = JSON.stringify({ config: { digest: image.digest } });
        const imageManifestMediaType = mediaTypeOf(image.isIndex);
        return {
          images: [{ imageId: { imageDigest: image.digest }, imageManifest, imageManifestMediaType }],
        };
      },
      GetDownloadUrlForLayer: ({ layerDigest }: { layerDigest: string }) => ({
        downloadUrl: `https://registry.example/${layerDigest}`,
      }),
      PutImage(input: { repositoryName: string; imageTag: string; imageDigest: string }) {
        const image = findImage(input.repositoryName, { imageDigest: input.imageDigest });
        if (image === undefined) throw buildAwsError("LayersNotFoundException");
        if (mustFind(input.repositoryName).tags.get(input.imageTag) === image.digest) {
          throw buildAwsError("ImageAlreadyExistsException");
        }
        push(input.repositoryName, input.imageTag, image);
        return {};
      },
      BatchDeleteImage({ repositoryName, imageIds: [id] }: { repositoryName: string; imageIds: ImageId[] }) {
        const { images, tags } = mustFind(repositoryName);
        const digest = id?.imageDigest ?? "";
        if (!images.has(digest)) return { failures: [{ failureCode: "ImageNotFound" }] };
        const removed = tagsOf(repositoryName, digest);
        for (const tag of removed) tags.delete(tag);
        images.delete(digest);
        onDelete(repositoryName, digest, removed);
        return { failures: [] };
      },
    },
  };
}

function mediaTypeOf(isIndex: boolean): string {
  return isIndex ? "application/vnd.oci.image.index.v1+json" : "application/vnd.oci.image.manifest.v1+json";
}
