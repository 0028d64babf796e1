import { takePage } from "../paging.ts";
import { type Operation, type ServiceContext, ServiceException } from "../service.ts";
import { digestOf, type Image, type Images } from "./images.ts";
import type { Passwords } from "./passwords.ts";

interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

interface TagFilter {
  readonly tagStatus?: "TAGGED" | "UNTAGGED" | "ANY";
}

/** Images, by digest and by tag. */
export function createImageOperations(
  { accountId, endpoint }: ServiceContext,
  images: Images,
  passwords: Passwords,
): Record<string, Operation> {
  /** An id with digest and tag means the image that has both. */
  function find(repositoryName: string, { imageDigest, imageTag }: ImageId): Image | undefined {
    const image = images.findImage(repositoryName, imageDigest ?? imageTag ?? "");
    if (imageDigest === undefined || imageTag === undefined) return image;
    return images.findImage(repositoryName, imageTag)?.digest === imageDigest ? image : undefined;
  }

  function mustFind(repositoryName: string, id: ImageId): Image {
    const image = find(repositoryName, id);
    if (image === undefined) {
      const shown = `{imageDigest:'${id.imageDigest ?? "null"}', imageTag:'${id.imageTag ?? "null"}'}`;
      throw new ServiceException(
        "ImageNotFoundException",
        `The image with imageId ${shown} does not exist within the repository with name '${repositoryName}' in the registry with id '${accountId}'`,
      );
    }
    return image;
  }

  /** The ids that there are, with their images, and what the API says of the others. */
  function partition(repositoryName: string, ids: readonly ImageId[]) {
    images.mustFindRepository(repositoryName);
    const found = ids.flatMap((id) => {
      const image = find(repositoryName, id);
      return image === undefined ? [] : [{ id, image }];
    });
    const failures = ids
      .filter((id) => find(repositoryName, id) === undefined)
      .map((imageId) => buildFailure(imageId, "ImageNotFound", "Requested image not found"));
    return { found, failures };
  }

  const tagsOf = (repositoryName: string, digest: string) =>
    [...images.listTags(repositoryName)].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);

  /** Images of a repository as the filter wants them. */
  const listFiltered = (repositoryName: string, { tagStatus = "ANY" }: TagFilter = {}) =>
    images.listImages(repositoryName).filter(({ digest }) => {
      const tagged = tagsOf(repositoryName, digest).length > 0;
      return tagStatus === "ANY" || (tagStatus === "TAGGED") === tagged;
    });

  function describe(repositoryName: string, image: Image) {
    const imageTags = tagsOf(repositoryName, image.digest);
    return {
      registryId: accountId,
      repositoryName,
      imageDigest: image.digest,
      ...(imageTags.length > 0 && { imageTags }),
      imageSizeInBytes: image.sizeBytes,
      imagePushedAt: new Date(image.pushedAt),
      imageManifestMediaType: image.mediaType,
      artifactMediaType: image.artifactType,
    };
  }

  /** A tag alone takes the tag away, and the image with the last one; a digest takes the image. */
  function deleteOne(repositoryName: string, { imageDigest, imageTag }: ImageId, { digest }: Image): void {
    if (imageDigest === undefined && imageTag !== undefined) images.untag(repositoryName, imageTag);
    if (imageDigest !== undefined || tagsOf(repositoryName, digest).length === 0) {
      images.deleteImage(repositoryName, digest);
    }
  }

  return {
    async DescribeImages({ repositoryName, imageIds, filter, maxResults = 100, nextToken }) {
      images.mustFindRepository(repositoryName);
      const all: readonly Image[] =
        imageIds?.map((id: ImageId) => mustFind(repositoryName, id)) ?? listFiltered(repositoryName, filter);
      const page = takePage(all, maxResults, nextToken);
      return {
        imageDetails: page.items.map((image) => describe(repositoryName, image)),
        nextToken: page.nextToken,
      };
    },

    async ListImages({ repositoryName, filter, maxResults = 100, nextToken }) {
      images.mustFindRepository(repositoryName);
      const ids = listFiltered(repositoryName, filter).flatMap(({ digest: imageDigest }): ImageId[] => {
        const tags = tagsOf(repositoryName, imageDigest);
        return tags.length === 0 ? [{ imageDigest }] : tags.map((imageTag) => ({ imageDigest, imageTag }));
      });
      const page = takePage(ids, maxResults, nextToken);
      return { imageIds: page.items, nextToken: page.nextToken };
    },

    async BatchGetImage({ repositoryName, imageIds, acceptedMediaTypes }) {
      const { found, failures } = partition(repositoryName, imageIds);
      const accepted = found.filter(({ image }) => acceptedMediaTypes?.includes(image.mediaType) ?? true);
      return {
        images: accepted.map(({ id, image }) => ({
          registryId: accountId,
          repositoryName,
          imageId: { ...id, imageDigest: image.digest },
          imageManifest: images.readManifest(repositoryName, image.digest).toString(),
          imageManifestMediaType: image.mediaType,
        })),
        failures,
      };
    },

    async PutImage({ repositoryName, imageManifest, imageManifestMediaType, imageTag, imageDigest }) {
      images.mustFindRepository(repositoryName);
      const content = Buffer.from(imageManifest);
      const digest = digestOf(content);
      const there = images.findImage(repositoryName, imageTag ?? digest);
      if (there?.digest === digest) {
        const tagged = imageTag === undefined ? "" : ` and tag '${imageTag}'`;
        throw new ServiceException(
          "ImageAlreadyExistsException",
          `Image with digest '${digest}'${tagged} already exists in the repository with name '${repositoryName}' in registry with id '${accountId}'`,
        );
      }
      const image = images.putManifest({
        repositoryName,
        content,
        mediaType: imageManifestMediaType,
        tag: imageTag,
        digest: imageDigest,
      });
      return {
        image: {
          registryId: accountId,
          repositoryName,
          imageId: { imageDigest: digest, imageTag },
          imageManifest,
          imageManifestMediaType: image.mediaType,
        },
      };
    },

    async BatchDeleteImage({ repositoryName, imageIds }) {
      const { found, failures } = partition(repositoryName, imageIds);
      const indexes = images.listImages(repositoryName).filter(({ children }) => children.length > 0);
      const isListed = ({ image }: { image: Image }) =>
        indexes.some(({ children }) => children.includes(image.digest));
      const deletable = found.filter((entry) => !isListed(entry));
      for (const { id, image } of deletable) deleteOne(repositoryName, id, image);
      const listed = found
        .filter(isListed)
        .map(({ id }) =>
          buildFailure(id, "ImageReferencedByManifestList", "Requested image referenced by manifest list"),
        );
      return {
        imageIds: deletable.map(({ id, image }) => ({ ...id, imageDigest: image.digest })),
        failures: [...failures, ...listed],
      };
    },

    async BatchCheckLayerAvailability({ repositoryName, layerDigests }) {
      images.mustFindRepository(repositoryName);
      const layers = layerDigests.map((layerDigest: string) =>
        images.blobs.has(repositoryName, layerDigest)
          ? {
              layerDigest,
              layerAvailability: "AVAILABLE",
              layerSize: images.blobs.sizeOf(repositoryName, layerDigest),
            }
          : { layerDigest, layerAvailability: "UNAVAILABLE" },
      );
      return { layers, failures: [] };
    },

    async GetDownloadUrlForLayer({ repositoryName, layerDigest }) {
      images.mustFindRepository(repositoryName);
      if (!images.blobs.has(repositoryName, layerDigest)) {
        throw new ServiceException(
          "LayersNotFoundException",
          `The layer with digest '${layerDigest}' does not exist within the repository with name '${repositoryName}'`,
        );
      }
      const { password } = passwords.issue();
      const downloadUrl = `${endpoint}/v2/${repositoryName}/blobs/${layerDigest}?password=${password}`;
      return { layerDigest, downloadUrl };
    },

    /** Nothing is scanned here, and the answer says so. */
    async DescribeImageScanFindings({ repositoryName, imageId }) {
      mustFind(repositoryName, imageId);
      throw new ServiceException(
        "ScanNotFoundException",
        `Image scan does not exist for the image with imageId {imageDigest:'${imageId.imageDigest ?? "null"}', imageTag:'${imageId.imageTag ?? "null"}'}: local-aws scans no images`,
      );
    },
  };
}

function buildFailure(imageId: ImageId, failureCode: string, failureReason: string) {
  return { imageId, failureCode, failureReason };
}
