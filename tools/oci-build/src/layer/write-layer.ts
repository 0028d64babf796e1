import { createHash, type Hash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { CodedError } from "@workspace/shared-config";
import { type Pack, pack } from "tar-stream";
import type { Change, FileNode } from "../files/file-tree.ts";
import { type Digest, digestOf, hexOf, isDigest } from "../image/digest.ts";
import { isObject, mediaTypes } from "../image/manifest.ts";
import type { Store } from "../store/store.ts";
import type { Layer } from "./layer.ts";
import { extractFiles } from "./read-layer.ts";

export interface WriteLayerProps {
  readonly store: Store;
  /** Sorted, parents first. */
  readonly changes: readonly Change[];
  /** The time of every file, in seconds since 1970. */
  readonly epochSeconds: number;
  /** Write it even where the same layer is in the store. */
  readonly noCache?: boolean;
}

/** Part of what a cached layer is found by: to be raised when the same changes give other bytes. */
const format = "tar+gzip-6/1";

/**
 * The layer of these changes: found in the store, or else written. The same changes give the same bytes.
 *
 * @throws CodedError `E_FILE_CHANGED`
 */
export async function writeLayer(props: WriteLayerProps): Promise<Layer & { readonly cached: boolean }> {
  const { store, changes, epochSeconds } = props;
  const key = digestOf(JSON.stringify([format, epochSeconds, changes.map(identify)]));
  const found = props.noCache ? undefined : parseLayer(store.readRecord("layers", key));
  if (found !== undefined && store.hasBlob(found.descriptor)) return { ...found, cached: true };

  const scratch = store.makeScratchFolder();
  const writer = await store.openBlobWriter();
  try {
    await extractFiles(store, fileNodes(changes), scratch);
    const tar = pack();
    const tarHash = createHash("sha256");
    const writing = pipeline(tar, tap(tarHash), createGzip({ level: 6 }), async (chunks) => {
      for await (const chunk of chunks) await writer.write(chunk);
    });
    const packing = packChanges(tar, changes, epochSeconds, scratch);
    await Promise.all([packing.catch((error) => tar.destroy(error)), writing]);
    await packing;
    const { digest, size } = await writer.commit();
    const diffId = `sha256:${tarHash.digest("hex")}` as const;
    const layer = { descriptor: { mediaType: mediaTypes.ociLayerGzip, digest, size }, diffId };
    store.writeRecord("layers", key, layer);
    return { ...layer, cached: false };
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** All that the layer's bytes depend on. */
function identify(change: Change): unknown[] {
  if (!("node" in change)) return [change.path, "remove", change.remove];
  const { path, node } = change;
  const content = node.type === "file" ? node.digest : node.type === "symlink" ? node.target : "";
  return [path, node.type, node.mode, node.uid, node.gid, content];
}

function fileNodes(changes: readonly Change[]): FileNode[] {
  return changes.flatMap((change) => ("node" in change && change.node.type === "file" ? [change.node] : []));
}

async function packChanges(
  tar: Pack,
  changes: readonly Change[],
  epochSeconds: number,
  scratch: string,
): Promise<void> {
  for (const change of changes) {
    if (!("node" in change))
      throw new Error(`a written layer removes nothing, but this one would: ${change.path}`);
    const { path, node } = change;
    const header = { mode: node.mode, uid: node.uid, gid: node.gid, mtime: new Date(epochSeconds * 1000) };
    if (node.type === "directory") await packEntry(tar, { ...header, name: `${path}/`, type: "directory" });
    else if (node.type === "symlink") {
      await packEntry(tar, { ...header, name: path, type: "symlink", linkname: node.target });
    } else {
      const disk = node.source.kind === "disk" ? node.source.path : join(scratch, hexOf(node.digest));
      await packFile(tar, { ...header, name: path, type: "file", size: node.sizeBytes }, disk, node.digest);
    }
  }
  tar.finalize();
}

type EntryHeader = Parameters<Pack["entry"]>[0];

function packEntry(tar: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}

async function packFile(tar: Pack, header: EntryHeader, disk: string, digest: Digest): Promise<void> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const packed = new Promise<void>((resolve, reject) => {
    const entry = tar.entry(header, (error) => (error ? reject(error) : resolve()));
    const file = createReadStream(disk, { highWaterMark: 1 << 20 });
    file.on("error", reject);
    file.on("data", (chunk) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    file.pipe(entry);
  });
  await packed.catch((cause) => {
    throw sizeBytes === header.size ? cause : fileChanged(disk, cause);
  });
  if (`sha256:${hash.digest("hex")}` !== digest) throw fileChanged(disk);
}

function tap(hash: Hash): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function parseLayer(value: unknown): Layer | undefined {
  if (!isObject(value) || !isObject(value.descriptor)) return undefined;
  const { mediaType, digest, size } = value.descriptor;
  const { diffId } = value;
  if (typeof mediaType !== "string" || typeof size !== "number") return undefined;
  if (typeof digest !== "string" || !isDigest(digest) || typeof diffId !== "string" || !isDigest(diffId))
    return undefined;
  return { descriptor: { mediaType, digest, size }, diffId };
}

function fileChanged(path: string, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_FILE_CHANGED",
    what: "the file was written to while the image was built",
    value: path,
    remedy: "Build again when nothing else writes there.",
    cause,
  });
}
