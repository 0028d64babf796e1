import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { PassThrough, type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CodedError } from "@workspace/shared-config";
import { extract, type Header } from "tar-stream";
import { type Change, type FileNode, normalizePath, type Ownership } from "../files/file-tree.ts";
import { type Digest, hexOf } from "../image/digest.ts";
import { type Descriptor, mediaTypes } from "../image/manifest.ts";
import type { Store } from "../store/store.ts";
import type { Layer } from "./layer.ts";

/** The name of a file that says: lower layers' files in this folder are gone. */
const opaqueMark = ".wh..wh..opq";
const whiteoutPrefix = ".wh.";

/**
 * What a layer of the store changes, with the digest of every file in it. It is remembered; the first time, the
 * whole layer is read, and checked against its diff id.
 *
 * @throws CodedError `E_LAYER_UNSUPPORTED`, `E_LAYER_CORRUPT`
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export async function readLayer(store: Store, { descriptor, diffId }: Layer): Promise<readonly Change[]> {
  const remembered = store.readRecord("layer-files", descriptor.digest);
  if (Array.isArray(remembered)) return remembered;
  const changes: Change[] = [];
  const files = new Map<string, FileNode>();
  const tarDigest = await readTar(store, descriptor, async (header, content) => {
    const path = normalizePath(header.name);
    const change = await readEntry(descriptor, path, header, content, files);
    if (change === undefined) return;
    changes.push(change);
    if ("node" in change && change.node.type === "file") files.set(path, change.node);
  });
  if (tarDigest !== diffId) {
    throw new CodedError({
      code: "E_LAYER_CORRUPT",
      what: `the layer ${descriptor.digest} is not what the image's configuration says`,
      value: tarDigest,
      remedy: "Choose another base image: this one contradicts itself.",
    });
  }
  store.writeRecord("layer-files", descriptor.digest, changes);
  return changes;
}

/** Puts those files whose bytes are in layers into a folder, each under its digest's hex digits. */
export async function extractFiles(store: Store, files: readonly FileNode[], folder: string): Promise<void> {
  const layers = new Map<Digest, { layer: Descriptor; wanted: Map<string, Digest> }>();
  for (const { source, digest } of files) {
    if (source.kind !== "layer") continue;
    const entry = layers.get(source.layer.digest) ?? { layer: source.layer, wanted: new Map() };
    entry.wanted.set(source.path, digest);
    layers.set(source.layer.digest, entry);
  }
  for (const { layer, wanted } of layers.values()) {
    await readTar(store, layer, async (header, content) => {
      const digest = header.type === "file" ? wanted.get(normalizePath(header.name)) : undefined;
      if (digest === undefined) return void content.resume();
      await pipeline(content, createWriteStream(join(folder, hexOf(digest))));
    });
  }
}

type OnEntry = (header: Header, content: Readable) => Promise<void>;

/** @returns the digest of the tar, uncompressed */
async function readTar(store: Store, layer: Descriptor, onEntry: OnEntry): Promise<Digest> {
  const hash = createHash("sha256");
  const tap = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const tar = extract();
  tar.on("entry", (header, content, next) => {
    onEntry(header, content as unknown as Readable).then(() => next(), next);
  });
  await pipeline(store.streamBlob(layer.digest), openDecompressor(layer), tap, tar as unknown as Writable);
  return `sha256:${hash.digest("hex")}`;
}

function openDecompressor({ mediaType }: Descriptor): Transform {
  if (mediaType === mediaTypes.ociLayerGzip || mediaType === mediaTypes.dockerLayerGzip)
    return createGunzip();
  if (mediaType === mediaTypes.ociLayerTar) return new PassThrough();
  throw new CodedError({
    code: "E_LAYER_UNSUPPORTED",
    what: "layers of this kind can't be copied from or onto",
    value: mediaType,
    remedy: "Choose a base image with gzip layers, or build with an engine: CDK_DOCKER=docker.",
  });
}

async function readEntry(
  layer: Descriptor,
  path: string,
  header: Header,
  content: Readable,
  files: ReadonlyMap<string, FileNode>,
): Promise<Change | undefined> {
  const ownership: Ownership = {
    mode: (header.mode ?? 0) & 0o7777,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
  };
  if (header.type === "file") {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const { digest, sizeBytes } = await digestStream(content);
    if (name === opaqueMark) return { path: normalizePath(`${path}/..`), remove: "children" };
    if (name.startsWith(whiteoutPrefix)) {
      return { path: normalizePath(`${path}/../${name.slice(whiteoutPrefix.length)}`), remove: "path" };
    }
    return {
      path,
      node: { type: "file", digest, sizeBytes, source: { kind: "layer", layer, path }, ...ownership },
    };
  }
  content.resume();
  switch (header.type) {
    case "directory":
      return path === "" ? undefined : { path, node: { type: "directory", ...ownership } };
    case "symlink":
      return { path, node: { type: "symlink", target: header.linkname ?? "", ...ownership } };
    case "link": {
      const linked = files.get(normalizePath(header.linkname ?? ""));
      return linked && { path, node: linked };
    }
    default:
      // Devices and FIFOs stay in their layer; nothing can be copied from or onto them.
      return undefined;
  }
}

async function digestStream(content: Readable): Promise<{ digest: Digest; sizeBytes: number }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { digest: `sha256:${hash.digest("hex")}`, sizeBytes };
}
