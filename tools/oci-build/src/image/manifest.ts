import { CodedError } from "@workspace/shared-config";
import { type Digest, isDigest } from "./digest.ts";

/** @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** @see https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface IndexEntry extends Descriptor {
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
}

/** @see https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly IndexEntry[];
}

export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerTar: "application/vnd.oci.image.layer.v1.tar",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** What a client says it can read, when it asks for a manifest. */
export const acceptedManifests = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
];

/** @throws CodedError `E_MANIFEST_MALFORMED` */
export function parseManifest(bytes: Uint8Array): ImageManifest | ImageIndex {
  const parsed = parseJson(bytes);
  // OCI documents need not say what they are.
  const type = parsed.mediaType ?? ("manifests" in parsed ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (type === mediaTypes.ociManifest || type === mediaTypes.dockerManifest) {
    if (isDescriptor(parsed.config) && isDescriptorList(parsed.layers)) {
      return { ...parsed, schemaVersion: 2, mediaType: type, config: parsed.config, layers: parsed.layers };
    }
  } else if (type === mediaTypes.ociIndex || type === mediaTypes.dockerIndex) {
    if (isDescriptorList(parsed.manifests)) {
      return { ...parsed, schemaVersion: 2, mediaType: type, manifests: parsed.manifests };
    }
  }
  throw malformed("neither an image manifest nor an image index, or one with members missing", type);
}

export function isIndex(manifest: ImageManifest | ImageIndex): manifest is ImageIndex {
  return "manifests" in manifest;
}

/** A JSON object. @throws CodedError `E_MANIFEST_MALFORMED` */
export function parseJson(bytes: Uint8Array): Record<string, unknown> {
  const text = new TextDecoder().decode(bytes);
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw malformed("not JSON", text.slice(0, 100), cause);
  }
  throw malformed("not a JSON object", text.slice(0, 100));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDescriptor(value: unknown): value is Descriptor {
  return (
    isObject(value) &&
    typeof value.mediaType === "string" &&
    typeof value.digest === "string" &&
    isDigest(value.digest) &&
    typeof value.size === "number"
  );
}

function isDescriptorList(value: unknown): value is readonly Descriptor[] {
  return Array.isArray(value) && value.every(isDescriptor);
}

function malformed(what: string, value: unknown, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_MANIFEST_MALFORMED",
    what: `the image's document is ${what}`,
    value,
    remedy: "Check the reference: it must name an OCI or Docker schema-2 image.",
    cause,
  });
}
