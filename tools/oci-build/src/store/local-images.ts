import { CodedError } from "@workspace/shared-config";
import { type Digest, isDigest } from "../image/digest.ts";
import { type ImageConfig, parseImageConfig } from "../image/image-config.ts";
import { type Descriptor, type ImageManifest, isIndex, isObject, parseManifest } from "../image/manifest.ts";
import { formatReference, parseReference, type Reference } from "../image/reference.ts";
import type { Store } from "./store.ts";

/** An image of the store. */
export interface LocalImage {
  readonly descriptor: Descriptor;
  readonly manifestBytes: Buffer;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** @throws CodedError `E_REFERENCE_MALFORMED` */
export function tagImage(store: Store, name: string, descriptor: Descriptor): void {
  const { registry, repository, tag } = parseReference(name);
  const full = formatReference({ registry, repository, ...(tag !== undefined && { tag }) });
  store.writeRecord("tags", full, { name: full, descriptor });
}

/** By reference, or by the digest that `build --quiet` and `--iidfile` give. */
export function findImage(store: Store, name: string): LocalImage | undefined {
  const digest = isDigest(name) ? name : findDigest(store, parseReference(name));
  const manifestBytes = digest && store.readBlob(digest);
  if (digest === undefined || manifestBytes === undefined) return undefined;
  const manifest = parseManifest(manifestBytes);
  if (isIndex(manifest)) return undefined;
  const configBytes = store.readBlob(manifest.config.digest);
  if (configBytes === undefined || !manifest.layers.every((layer) => store.hasBlob(layer))) return undefined;
  const { mediaType } = manifest;
  return {
    descriptor: { mediaType, digest, size: manifestBytes.byteLength },
    manifestBytes,
    manifest,
    config: parseImageConfig(configBytes),
  };
}

/** @throws CodedError `E_IMAGE_MISSING` */
export function getImage(store: Store, name: string): LocalImage {
  const image = findImage(store, name);
  if (image !== undefined) return image;
  throw new CodedError({
    code: "E_IMAGE_MISSING",
    what: "no such image in the local store",
    value: name,
    remedy: "Build it first: oci-build build --tag NAME DIRECTORY",
  });
}

/** Every name that the image has in the store. */
export function findNames(store: Store, digest: Digest): string[] {
  return store
    .records("tags")
    .map(parseTag)
    .filter((tag) => tag?.digest === digest)
    .flatMap((tag) => (tag === undefined ? [] : [tag.name]));
}

function findDigest(store: Store, reference: Reference): Digest | undefined {
  return reference.digest ?? parseTag(store.readRecord("tags", formatReference(reference)))?.digest;
}

function parseTag(record: unknown): { name: string; digest: Digest } | undefined {
  if (!isObject(record) || typeof record.name !== "string" || !isObject(record.descriptor)) return undefined;
  const { digest } = record.descriptor;
  return typeof digest === "string" && isDigest(digest) ? { name: record.name, digest } : undefined;
}
