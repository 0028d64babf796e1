import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { type Image, type Images, openImages, type Repository } from "./images.ts";
import { createPasswords } from "./passwords.ts";
import { createRegistry } from "./registry.ts";

interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

/** The ECR API, and the registry that belongs to it under `/v2/`. */
export function createService(context: ServiceContext): Service {
  const images = openImages(context);
  const passwords = createPasswords(context);
  const { host } = new URL(context.endpoint);
  const arnOf = (name: string) => `arn:aws:ecr:${context.region}:${context.accountId}:repository/${name}`;

  const describeRepository = ({
    policyText: _policy,
    lifecyclePolicyText: _lifecycle,
    tags: _tags,
    createdAt,
    ...rest
  }: Repository) => ({
    ...rest,
    repositoryArn: arnOf(rest.repositoryName),
    repositoryUri: `${host}/${rest.repositoryName}`,
    registryId: context.accountId,
    createdAt: new Date(createdAt),
  });

  /** Changes a repository's settings. */
  const change = (name: string, changes: Partial<Repository>) => {
    const repository = { ...images.mustFindRepository(name), ...changes };
    images.putRepository(repository);
    return { ...describeRepository(repository), registryId: context.accountId };
  };

  return {
    routes: { "/v2/": createRegistry(images, passwords, context.log) },
    operations: {
      async CreateRepository(input) {
        const { repositoryName } = input;
        if (images.findRepository(repositoryName) !== undefined) {
          throw new ServiceException(
            "RepositoryAlreadyExistsException",
            `The repository with name '${repositoryName}' already exists in the registry with id '${context.accountId}'`,
          );
        }
        if (!/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(repositoryName)) {
          throw new ServiceException(
            "InvalidParameterException",
            `Invalid parameter at 'repositoryName': '${repositoryName}'`,
          );
        }
        const repository: Repository = {
          repositoryName,
          imageTagMutability: input.imageTagMutability ?? "MUTABLE",
          imageTagMutabilityExclusionFilters: input.imageTagMutabilityExclusionFilters,
          imageScanningConfiguration: input.imageScanningConfiguration ?? { scanOnPush: false },
          encryptionConfiguration: input.encryptionConfiguration ?? { encryptionType: "AES256" },
          createdAt: context.now(),
          tags: toRecord(input.tags),
        };
        images.putRepository(repository);
        return { repository: describeRepository(repository) };
      },
      async DescribeRepositories({ repositoryNames }) {
        const found = repositoryNames?.map(images.mustFindRepository) ?? images.listRepositories();
        return { repositories: found.map(describeRepository) };
      },
      async DeleteRepository({ repositoryName, force = false }) {
        const repository = images.mustFindRepository(repositoryName);
        if (!force && images.listImages(repositoryName).length > 0) {
          throw new ServiceException(
            "RepositoryNotEmptyException",
            `The repository with name '${repositoryName}' in registry with id '${context.accountId}' cannot be deleted because it still contains images`,
          );
        }
        images.deleteRepository(repositoryName);
        return { repository: describeRepository(repository) };
      },
      PutImageTagMutability: async ({
        repositoryName,
        imageTagMutability,
        imageTagMutabilityExclusionFilters,
      }) => change(repositoryName, { imageTagMutability, imageTagMutabilityExclusionFilters }),
      PutImageScanningConfiguration: async ({ repositoryName, imageScanningConfiguration }) =>
        change(repositoryName, { imageScanningConfiguration }),
      PutLifecyclePolicy: async ({ repositoryName, lifecyclePolicyText }) => {
        JSON.parse(lifecyclePolicyText);
        return { ...change(repositoryName, { lifecyclePolicyText }), lifecyclePolicyText };
      },
      async GetLifecyclePolicy({ repositoryName }) {
        const { lifecyclePolicyText } = images.mustFindRepository(repositoryName);
        if (lifecyclePolicyText === undefined) {
          throw new ServiceException(
            "LifecyclePolicyNotFoundException",
            `Lifecycle policy does not exist for ${repositoryName}`,
          );
        }
        return { repositoryName, registryId: context.accountId, lifecyclePolicyText };
      },
      DeleteLifecyclePolicy: async ({ repositoryName }) =>
        change(repositoryName, { lifecyclePolicyText: undefined }),
      SetRepositoryPolicy: async ({ repositoryName, policyText }) => ({
        ...change(repositoryName, { policyText }),
        policyText,
      }),
      async GetRepositoryPolicy({ repositoryName }) {
        const { policyText } = images.mustFindRepository(repositoryName);
        if (policyText === undefined) {
          throw new ServiceException(
            "RepositoryPolicyNotFoundException",
            `Repository policy does not exist for ${repositoryName}`,
          );
        }
        return { repositoryName, registryId: context.accountId, policyText };
      },
      DeleteRepositoryPolicy: async ({ repositoryName }) => change(repositoryName, { policyText: undefined }),
      async TagResource({ resourceArn, tags }) {
        const { tags: present } = images.mustFindRepository(nameOf(resourceArn));
        change(nameOf(resourceArn), { tags: { ...present, ...toRecord(tags) } });
        return {};
      },
      async ListTagsForResource({ resourceArn }) {
        const { tags } = images.mustFindRepository(nameOf(resourceArn));
        return { tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
      async GetAuthorizationToken() {
        const { password, expiresAt } = passwords.issue();
        return {
          authorizationData: [
            {
              authorizationToken: Buffer.from(`AWS:${password}`).toString("base64"),
              expiresAt: new Date(expiresAt),
              proxyEndpoint: context.endpoint,
            },
          ],
        };
      },
      async DescribeImages({ repositoryName, imageIds, filter, maxResults = 100, nextToken = "0" }) {
        images.mustFindRepository(repositoryName);
        const found =
          imageIds?.map((id: ImageId) => mustFind(images, repositoryName, id)) ??
          images.listImages(repositoryName);
        const tags = images.listTags(repositoryName);
        const described = (found as Image[])
          .map((image) => describeImage(context.accountId, repositoryName, image, tags))
          .filter(({ imageTags }) => matchesStatus(filter?.tagStatus, imageTags));
        const from = Number(nextToken);
        const more = from + maxResults < described.length;
        return {
          imageDetails: described.slice(from, from + maxResults),
          ...(more && { nextToken: String(from + maxResults) }),
        };
      },
      async ListImages({ repositoryName, filter }) {
        images.mustFindRepository(repositoryName);
        const tags = images.listTags(repositoryName);
        const imageIds = images.listImages(repositoryName).flatMap(({ digest }): ImageId[] => {
          const own = [...tags]
            .filter(([, tagged]) => tagged === digest)
            .map(([imageTag]) => ({ imageDigest: digest, imageTag }));
          return own.length > 0 ? own : [{ imageDigest: digest }];
        });
        return {
          imageIds: imageIds.filter(({ imageTag }) =>
            matchesStatus(filter?.tagStatus, imageTag && [imageTag]),
          ),
        };
      },
      async BatchGetImage({ repositoryName, imageIds, acceptedMediaTypes }) {
        images.mustFindRepository(repositoryName);
        const [found, failures] = partition(images, repositoryName, imageIds);
        return {
          images: found
            .filter(
              ({ image }) => acceptedMediaTypes === undefined || acceptedMediaTypes.includes(image.mediaType),
            )
            .map(({ id, image }) => ({
              registryId: context.accountId,
              repositoryName,
              imageId: { ...id, imageDigest: image.digest },
              imageManifest: images.readManifest(image.digest).toString(),
              imageManifestMediaType: image.mediaType,
            })),
          failures,
        };
      },
      async PutImage({ repositoryName, imageManifest, imageManifestMediaType, imageTag, imageDigest }) {
        const tagged = imageTag === undefined ? undefined : images.findImage(repositoryName, imageTag);
        const content = Buffer.from(imageManifest);
        const mediaType = imageManifestMediaType ?? JSON.parse(imageManifest).mediaType;
        const image = images.putManifest(repositoryName, imageTag ?? imageDigest, content, mediaType);
        if (tagged?.digest === image.digest) {
          throw new ServiceException(
            "ImageAlreadyExistsException",
            `Image with digest '${image.digest}' and tag '${imageTag}' already exists in the '${repositoryName}' repository`,
          );
        }
        return {
          image: {
            registryId: context.accountId,
            repositoryName,
            imageId: { imageDigest: image.digest, imageTag },
            imageManifest,
            imageManifestMediaType: mediaType,
          },
        };
      },
      async BatchDeleteImage({ repositoryName, imageIds }) {
        images.mustFindRepository(repositoryName);
        const [found, failures] = partition(images, repositoryName, imageIds);
        for (const { id, image } of found) {
          if (id.imageDigest === undefined && id.imageTag !== undefined) {
            images.untag(repositoryName, id.imageTag);
            if (![...images.listTags(repositoryName).values()].includes(image.digest))
              images.deleteImage(repositoryName, image.digest);
          } else {
            images.deleteImage(repositoryName, image.digest);
          }
        }
        return { imageIds: found.map(({ id, image }) => ({ ...id, imageDigest: image.digest })), failures };
      },
      async BatchCheckLayerAvailability({ repositoryName, layerDigests }) {
        images.mustFindRepository(repositoryName);
        return {
          layers: layerDigests.map((layerDigest: string) => ({
            layerDigest,
            layerAvailability: images.hasBlob(layerDigest) ? "AVAILABLE" : "UNAVAILABLE",
            ...(images.hasBlob(layerDigest) && { layerSize: images.sizeOf(layerDigest) }),
          })),
          failures: [],
        };
      },
      async GetDownloadUrlForLayer({ repositoryName, layerDigest }) {
        images.mustFindRepository(repositoryName);
        if (!images.hasBlob(layerDigest)) {
          throw new ServiceException(
            "LayersNotFoundException",
            `The layer ${layerDigest} does not exist in ${repositoryName}`,
          );
        }
        const token = passwords.issue().password;
        return {
          layerDigest,
          downloadUrl: `${context.endpoint}/v2/${repositoryName}/blobs/${layerDigest}?token=${token}`,
        };
      },
    },
  };
}

function describeImage(
  registryId: string,
  repositoryName: string,
  image: Image,
  tags: ReadonlyMap<string, string>,
) {
  const imageTags = [...tags].filter(([, digest]) => digest === image.digest).map(([tag]) => tag);
  return {
    registryId,
    repositoryName,
    imageDigest: image.digest,
    ...(imageTags.length > 0 && { imageTags }),
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: new Date(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    ...(image.artifactType && { artifactMediaType: image.artifactType }),
  } as {
    readonly imageDigest: string;
    readonly imageTags?: readonly string[];
  };
}

function matchesStatus(
  tagStatus: string | undefined,
  imageTags: readonly string[] | "" | undefined,
): boolean {
  const tagged = Array.isArray(imageTags) && imageTags.length > 0;
  return tagStatus === undefined || tagStatus === "ANY" || (tagStatus === "TAGGED") === tagged;
}

function mustFind(images: Images, repositoryName: string, { imageDigest, imageTag }: ImageId): Image {
  const image = images.findImage(repositoryName, imageDigest ?? imageTag ?? "");
  if (image === undefined) {
    throw new ServiceException(
      "ImageNotFoundException",
      `The image with imageId {imageDigest:'${imageDigest ?? "null"}', imageTag:'${imageTag ?? "null"}'} does not exist within the repository with name '${repositoryName}'`,
    );
  }
  return image;
}

function partition(images: Images, repositoryName: string, ids: readonly ImageId[]) {
  const found: { id: ImageId; image: Image }[] = [];
  const failures: object[] = [];
  for (const id of ids) {
    const image = images.findImage(repositoryName, id.imageDigest ?? id.imageTag ?? "");
    if (image !== undefined) found.push({ id, image });
    else
      failures.push({
        imageId: id,
        failureCode: "ImageNotFound",
        failureReason: "Requested image not found",
      });
  }
  return [found, failures] as const;
}

function toRecord(tags: readonly { Key: string; Value: string }[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

function nameOf(arn: string): string {
  return arn.replace(/^.*:repository\//, "");
}
