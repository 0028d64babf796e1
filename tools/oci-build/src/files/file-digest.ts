import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, openSync, readSync, statSync } from "node:fs";
import { type Digest, isDigest } from "../image/digest.ts";
import type { Store } from "../store/store.ts";

/** Below this, hashing is cheaper than remembering. */
const rememberedFromBytes = 1 << 20;

/** A file that was written this recently may be written again without its times showing it. */
const settledAfterMs = 1000;

/**
 * Hashes files, and remembers the digest of a large one for as long as its inode, size, and times of
 * modification and change stay the same. The change time can't be set back by a program, so that a file with
 * other content doesn't go unnoticed.
 */
export function createFileDigester(store: Store, now: () => number = Date.now): (path: string) => Digest {
  return (path) => {
    const stats = statSync(path, { bigint: true });
    if (stats.size < rememberedFromBytes) return hashFile(path);
    const identity = [path, stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":");
    const remembered = store.readRecord("file-digests", identity);
    if (typeof remembered === "string" && isDigest(remembered)) return remembered;
    const digest = hashFile(path);
    if (isSettled(stats, now())) store.writeRecord("file-digests", identity, digest);
    return digest;
  };
}

function isSettled(stats: BigIntStats, now: number): boolean {
  const settledBeforeNs = BigInt(now - settledAfterMs) * 1_000_000n;
  return stats.mtimeNs < settledBeforeNs && stats.ctimeNs < settledBeforeNs;
}

function hashFile(path: string): Digest {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, "r");
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return `sha256:${hash.digest("hex")}`;
}
