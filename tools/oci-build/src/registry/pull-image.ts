import { CodedError } from "@workspace/shared-config";
import { type Digest, isDigest } from "../image/digest.ts";
import { type ImageConfig, parseImageConfig } from "../image/image-config.ts";
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type IndexEntry,
  isIndex,
  mediaTypes,
  parseManifest,
} from "../image/manifest.ts";
import { formatPlatform, isPlatform, type Platform } from "../image/platform.ts";
import { parseReference } from "../image/reference.ts";
import type { BaseImage } from "../layer/layer.ts";
import { formatBytes, type Progress } from "../progress/progress.ts";
import { findImage } from "../store/local-images.ts";
import type { Store } from "../store/store.ts";
import type { Registries } from "./registries.ts";
import type { RegistryClient } from "./registry-client.ts";

export interface PullImageProps {
  readonly store: Store;
  readonly registries: Registries;
  readonly reference: string;
  readonly platform: Platform;
  readonly progress: Progress;
}

/**
 * An image to build on, whole in the store: the one that was built here under that name, or else the registry's. A
 * digest that was pulled before needs no registry; a tag is always asked for again.
 *
 * @throws CodedError `E_BASE_IMAGE_MISSING`, `E_BASE_IMAGE_PLATFORM`, `E_LAYER_UNSUPPORTED`, those of RegistryClient
 */
export async function pullImage(props: PullImageProps): Promise<BaseImage> {
  const { store, registries, reference, platform } = props;
  const local = findImage(store, reference);
  if (local !== undefined) return checkPlatform(props, toBaseImage(local.manifest, local.config));

  const { registry, repository, tag, digest } = parseReference(reference);
  const client = registries(registry);
  const top = await getManifest(props, client, repository, digest ?? tag ?? "latest");
  const manifest = isIndex(top)
    ? await getManifest(props, client, repository, chooseEntry(reference, platform, top.manifests))
    : top;
  if (isIndex(manifest)) throw missing(reference, "an index of indexes");
  await Promise.all(
    [manifest.config, ...manifest.layers].map((blob) => pullBlob(props, client, repository, blob)),
  );
  const configBytes = store.readBlob(manifest.config.digest);
  if (configBytes === undefined) throw missing(reference, manifest.config.digest);
  return checkPlatform(props, toBaseImage(manifest, parseImageConfig(configBytes)));
}

async function getManifest(
  { store, reference }: PullImageProps,
  client: RegistryClient,
  repository: string,
  target: string,
): Promise<ImageManifest | ImageIndex> {
  const stored = isDigest(target) ? store.readBlob(target) : undefined;
  if (stored !== undefined) return parseManifest(stored);
  const found = await client.findManifest(repository, target);
  if (found === undefined) throw missing(reference, target);
  store.putBlob(found.bytes);
  return parseManifest(found.bytes);
}

function chooseEntry(reference: string, platform: Platform, entries: readonly IndexEntry[]): Digest {
  const entry = entries.find((candidate) => isPlatform(platform, candidate.platform ?? {}));
  if (entry !== undefined) return entry.digest;
  throw new CodedError({
    code: "E_BASE_IMAGE_PLATFORM",
    what: `${reference} has no image for ${formatPlatform(platform)}`,
    value: entries.map(({ platform }) => [platform?.os, platform?.architecture].join("/")),
    remedy: "Choose another base image or another --platform.",
  });
}

async function pullBlob(
  { store, progress }: PullImageProps,
  client: RegistryClient,
  repository: string,
  blob: Descriptor,
): Promise<void> {
  if (store.hasBlob(blob)) return;
  const transfer = progress.transfer(blob.digest.slice(0, 19), blob.size);
  try {
    await client.pullBlob({ repository, blob, store, onBytes: (bytes) => transfer.moved(bytes) });
  } catch (error) {
    transfer.end("failed");
    throw error;
  }
  transfer.end(`received, ${formatBytes(blob.size)}`);
}

function toBaseImage(manifest: ImageManifest, config: ImageConfig): BaseImage {
  const layers = manifest.layers.map((descriptor, index) => {
    const diffId = config.rootfs.diff_ids[index];
    if (diffId === undefined) throw missing(manifest.config.digest, "fewer diff_ids than layers");
    return { descriptor: { ...descriptor, mediaType: ociLayerType(descriptor) }, diffId };
  });
  return { config, layers };
}

/** Docker's and OCI's gzip layers are the same bytes; the image that is built is OCI's throughout. */
function ociLayerType({ mediaType }: Descriptor): string {
  return mediaType === mediaTypes.dockerLayerGzip ? mediaTypes.ociLayerGzip : mediaType;
}

function checkPlatform({ reference, platform }: PullImageProps, image: BaseImage): BaseImage {
  if (isPlatform(platform, image.config)) return image;
  const { os, architecture, variant } = image.config;
  throw new CodedError({
    code: "E_BASE_IMAGE_PLATFORM",
    what: `${reference} is not an image for ${formatPlatform(platform)}`,
    value: [os, architecture, variant].filter(Boolean).join("/"),
    remedy: "Choose another base image or another --platform.",
  });
}

function missing(reference: string, value: string): CodedError {
  return new CodedError({
    code: "E_BASE_IMAGE_MISSING",
    what: `the image ${reference} can't be had`,
    value,
    remedy: "Check its name, tag and registry.",
  });
}
