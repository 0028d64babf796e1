import { createHash, randomUUID } from "node:crypto";
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { CodedError } from "@workspace/shared-config";
import { isFileError, unusablePath } from "../files/file-error.ts";
import { type Digest, digestOf, hexOf } from "../image/digest.ts";
import type { Descriptor } from "../image/manifest.ts";

/** What is remembered beside the blobs, each kind in a folder of its own. All of it can be made again. */
export type RecordKind = "file-digests" | "layers" | "layer-files" | "locations" | "tags";

/**
 * Images on disk: blobs by digest, and small records by key. Everything is written aside and renamed into
 * place, so that processes may share it, and one that is killed leaves nothing half done behind.
 */
export interface Store {
  hasBlob(blob: Pick<Descriptor, "digest" | "size">): boolean;
  /** Its whole content, its digest checked: a disk that lost power may have lost bytes. */
  readBlob(digest: Digest): Buffer | undefined;
  streamBlob(digest: Digest): Readable;
  putBlob(bytes: Uint8Array): Digest;
  /** Writes a blob whose digest is known only at its end. */
  openBlobWriter(): Promise<BlobWriter>;
  /** A new folder beside the blobs, for the caller to fill and to remove. */
  makeScratchFolder(): string;
  readRecord(kind: RecordKind, key: string): unknown;
  writeRecord(kind: RecordKind, key: string, value: unknown): void;
  /** Every record of the kind. */
  records(kind: RecordKind): unknown[];
  /** Removes what was written before that time, in epoch milliseconds. @returns how many bytes that frees */
  prune(writtenBeforeMs: number): number;
}

export interface BlobWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** @param accept looks at what was written, and throws to refuse it */
  commit(
    accept?: (written: { digest: Digest; size: number }) => void,
  ): Promise<{ digest: Digest; size: number }>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** Makes the folder where there is none. @throws CodedError `E_STORE_UNUSABLE` */
export function openStore(directory: string): Store {
  const blobs = join(directory, "blobs/sha256");
  const partial = join(directory, "partial");
  try {
    for (const folder of [blobs, partial]) mkdirSync(folder, { recursive: true });
  } catch (cause) {
    if (!isFileError(cause, ...unusablePath)) throw cause;
    throw new CodedError({
      code: "E_STORE_UNUSABLE",
      what: "the folder for images and layers can't be made",
      value: directory,
      remedy:
        "Name a folder that can be written to: OCI_BUILD_STORE, or XDG_CACHE_HOME for the one above it.",
      cause,
    });
  }

  const blobPath = (digest: Digest) => join(blobs, hexOf(digest));
  const partialPath = () => join(partial, randomUUID());
  const recordPath = (kind: RecordKind, key: string) =>
    join(directory, kind, `${createHash("sha256").update(key).digest("hex")}.json`);

  function writeWhole(path: string, bytes: string | Uint8Array): void {
    const aside = partialPath();
    writeFileSync(aside, bytes);
    renameSync(aside, path);
  }

  return {
    hasBlob: ({ digest, size }) => statSync(blobPath(digest), { throwIfNoEntry: false })?.size === size,
    readBlob(digest) {
      const bytes = readIfThere(blobPath(digest));
      return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
    },
    streamBlob: (digest) => createReadStream(blobPath(digest), { highWaterMark: 1 << 18 }),
    putBlob(bytes) {
      const digest = digestOf(bytes);
      writeWhole(blobPath(digest), bytes);
      return digest;
    },
    async openBlobWriter() {
      const aside = partialPath();
      return createBlobWriter(await open(aside, "wx"), aside, blobPath);
    },
    makeScratchFolder() {
      const folder = partialPath();
      mkdirSync(folder);
      return folder;
    },
    readRecord(kind, key) {
      return parseRecord(readIfThere(recordPath(kind, key)));
    },
    writeRecord(kind, key, value) {
      mkdirSync(join(directory, kind), { recursive: true });
      writeWhole(recordPath(kind, key), JSON.stringify(value));
    },
    records(kind) {
      mkdirSync(join(directory, kind), { recursive: true });
      const names = readdirSync(join(directory, kind)).sort();
      return names.map((name) => parseRecord(readIfThere(join(directory, kind, name)))).filter(Boolean);
    },
    prune(writtenBeforeMs) {
      let freedBytes = 0;
      for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        const stats = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined;
        if (stats === undefined || stats.mtimeMs >= writtenBeforeMs) continue;
        rmSync(path, { force: true });
        freedBytes += stats.size;
      }
      return freedBytes;
    },
  };
}

function createBlobWriter(file: FileHandle, aside: string, blobPath: (digest: Digest) => string): BlobWriter {
  const hash = createHash("sha256");
  let size = 0;
  return {
    async write(chunk) {
      hash.update(chunk);
      size += chunk.byteLength;
      await file.writeFile(chunk);
    },
    async commit(accept) {
      await file.close();
      const written = { digest: `sha256:${hash.digest("hex")}` as const, size };
      try {
        accept?.(written);
      } catch (refusal) {
        rmSync(aside);
        throw refusal;
      }
      renameSync(aside, blobPath(written.digest));
      return written;
    },
    async discard() {
      await file.close();
      rmSync(aside, { force: true });
    },
  };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isFileError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** A record that is no JSON is as good as none. */
function parseRecord(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
