import { readBody } from "../../body.ts";
import { type ServiceContext, ServiceException } from "../../service.ts";
import { invalidParameter } from "../errors.ts";
import type { ImageCode, ImageConfiguration, Layer } from "../model.ts";
import { downloadBlob } from "./download.ts";
import { parseImageUri } from "./image-uri.ts";

/** Single-platform images: Lambda takes no index. @see https://docs.aws.amazon.com/lambda/latest/dg/images-create.html */
const manifestTypes = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);

export const layerTypes = {
  gzip: new Set([
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
  ]),
  plain: new Set(["application/vnd.oci.image.layer.v1.tar"]),
};

interface FoundImage {
  readonly imageId: { readonly imageDigest: string };
  readonly imageManifest: string;
  readonly imageManifestMediaType: string;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly (Layer & { readonly size: number })[];
}

/** @throws ServiceException with Lambda's sentences for an image that is missing or of the wrong kind */
export async function resolveImage(context: ServiceContext, imageUri: string): Promise<ImageCode> {
  const reference = parseImageUri(imageUri, context);
  if (reference === undefined) {
    throw invalidParameter(`Source image ${imageUri} is not valid. Provide a valid source image.`);
  }
  const { repositoryName, imageId } = reference;
  const image = await findImage(context, repositoryName, imageId);
  if (image === undefined) {
    throw invalidParameter(`Source image ${imageUri} does not exist. Provide a valid source image.`);
  }
  const unsupported = invalidParameter(
    `The image manifest, config or layer media type for the source image ${imageUri} is not supported.`,
  );
  if (!manifestTypes.has(image.imageManifestMediaType)) throw unsupported;
  const { config, layers } = JSON.parse(image.imageManifest) as Manifest;
  const known = ({ mediaType }: Layer) => layerTypes.gzip.has(mediaType) || layerTypes.plain.has(mediaType);
  if (!layers.every(known)) throw unsupported;
  const { architecture, configuration } = await readConfiguration(context, repositoryName, config.digest);
  return {
    kind: "image",
    sha256: image.imageId.imageDigest.replace("sha256:", ""),
    sizeBytes: layers.reduce((sum, { size }) => sum + size, 0),
    imageUri,
    repositoryName,
    architecture,
    configuration,
    layers: layers.map(({ digest, mediaType }) => ({ digest, mediaType })),
  };
}

async function findImage(
  { call }: ServiceContext,
  repositoryName: string,
  imageId: object,
): Promise<FoundImage | undefined> {
  try {
    const input = { repositoryName, imageIds: [imageId] };
    const { images } = await call<{ images: FoundImage[] }>("ecr", "BatchGetImage", input);
    return images[0];
  } catch (error) {
    if (error instanceof ServiceException && error.name === "RepositoryNotFoundException") return undefined;
    throw error;
  }
}

async function readConfiguration(context: ServiceContext, repositoryName: string, digest: string) {
  const blob = await readBody(await downloadBlob(context, repositoryName, digest));
  const { architecture, config = {} } = JSON.parse(blob.toString()) as {
    architecture: string;
    config?: ImageConfiguration;
  };
  return { architecture, configuration: config };
}
