import {
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { type ServiceContext, ServiceException } from "../service.ts";

export interface ImageConfiguration {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
}

/** An image as Lambda resolved it: which one, and for what. */
export interface ResolvedImage {
  readonly digest: string;
  readonly repositoryName: string;
  readonly sizeBytes: number;
  /** As in the image's configuration: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly configuration: ImageConfiguration;
  readonly layers: readonly { readonly digest: string }[];
}

const singleManifests = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);

/** `host/name:tag` or `host/name@sha256:…`; the host is ECR's or this server's, and either means the same. */
export function parseImageUri(
  uri: string,
): { repositoryName: string; reference: { imageTag?: string; imageDigest?: string } } | undefined {
  const match = /^[^/]+\/(?<name>[^:@]+)(?::(?<tag>[^@]+))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/.exec(uri);
  if (match?.groups?.name === undefined) return undefined;
  const { name, tag, digest } = match.groups;
  return {
    repositoryName: name,
    reference: digest ? { imageDigest: digest } : { imageTag: tag ?? "latest" },
  };
}

/** @throws ServiceException with the sentences that Lambda has for a missing or unsupported image */
export async function resolveImage({ call }: ServiceContext, uri: string): Promise<ResolvedImage> {
  const parsed = parseImageUri(uri);
  if (parsed === undefined) throw invalid(`Source image ${uri} is not valid. Provide a valid source image.`);
  const { repositoryName, reference } = parsed;
  const { images } = await call<{
    images: { imageManifest: string; imageManifestMediaType: string; imageId: { imageDigest: string } }[];
  }>("ecr", "BatchGetImage", { repositoryName, imageIds: [reference] }).catch((error) => {
    if (error.name === "RepositoryNotFoundException") return { images: [] };
    throw error;
  });
  const image = images[0];
  if (image === undefined) throw invalid(`Source image ${uri} does not exist. Provide a valid source image.`);
  if (!singleManifests.has(image.imageManifestMediaType)) {
    throw invalid(
      `The image manifest, config or layer media type for the source image ${uri} is not supported.`,
    );
  }
  const { config, layers } = JSON.parse(image.imageManifest) as {
    config: { digest: string };
    layers: { digest: string; size: number }[];
  };
  const { architecture, config: configuration = {} } = (await (
    await download(call, repositoryName, config.digest)
  ).json()) as {
    architecture: string;
    config?: ImageConfiguration;
  };
  const sizeBytes = layers.reduce((sum, { size }) => sum + size, 0);
  return {
    digest: image.imageId.imageDigest,
    repositoryName,
    sizeBytes,
    architecture,
    configuration,
    layers,
  };
}

/** Unpacks an image once; its layers are shared with other images by hard links. Gives the folder. */
export async function unpackImage(context: ServiceContext, image: ResolvedImage): Promise<string> {
  const root = join(context.store.directory, "images", image.digest.replace(":", "-"));
  if (existsSync(root)) return root;
  const part = `${root}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  for (const { digest } of image.layers) {
    linkTree(await unpackLayer(context, image.repositoryName, digest), part);
  }
  rmSync(root, { recursive: true, force: true });
  renameSync(part, root);
  return root;
}

async function unpackLayer(context: ServiceContext, repositoryName: string, digest: string): Promise<string> {
  const directory = join(context.store.directory, "layers", digest.replace(":", "-"));
  if (existsSync(directory)) return directory;
  const part = `${directory}.${process.pid}.${Math.random()}.part`;
  mkdirSync(part, { recursive: true });
  const { body } = await download(context.call, repositoryName, digest);
  if (body === null) throw new Error(`the layer ${digest} has no content`);
  const entries = extract();
  const unpacking = pipeline(Readable.fromWeb(body as never), createGunzip(), entries);
  for await (const entry of entries) {
    const { name, type, mode, linkname } = entry.header;
    const path = join(part, normalize(`/${name}`));
    mkdirSync(dirname(path), { recursive: true });
    if (type === "directory") mkdirSync(path, { recursive: true });
    else if (type === "symlink") symlinkSync(linkname ?? "", path);
    else if (type === "link") linkSync(join(part, normalize(`/${linkname}`)), path);
    else {
      await pipeline(entry, createWriteStream(path, { mode }));
      continue;
    }
    entry.resume();
  }
  await unpacking;
  if (existsSync(directory)) rmSync(part, { recursive: true });
  else renameSync(part, directory);
  return directory;
}

const whiteout = ".wh.";

/** Lays a layer over what is there; a whiteout takes away. @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const entries = readdirSync(from, { withFileTypes: true });
  if (entries.some(({ name }) => name === ".wh..wh..opq")) {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
  }
  for (const entry of entries) {
    if (entry.name.startsWith(whiteout)) {
      rmSync(join(to, entry.name.slice(whiteout.length)), { recursive: true, force: true });
      continue;
    }
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      linkTree(source, target);
      continue;
    }
    rmSync(target, { recursive: true, force: true });
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  }
}

async function download(
  call: ServiceContext["call"],
  repositoryName: string,
  layerDigest: string,
): Promise<Response> {
  const { downloadUrl } = await call<{ downloadUrl: string }>("ecr", "GetDownloadUrlForLayer", {
    repositoryName,
    layerDigest,
  });
  const response = await fetch(downloadUrl);
  if (!response.ok) throw new Error(`the registry answered ${response.status} for ${layerDigest}`);
  return response;
}

function invalid(message: string): ServiceException {
  return new ServiceException("InvalidParameterValueException", message);
}
