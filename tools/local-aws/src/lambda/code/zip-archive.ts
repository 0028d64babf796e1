import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type Entry, fromBuffer, type Options, type ZipFile } from "yauzl";
import type { ZipCode } from "../model.ts";

const open = promisify<Buffer, Options, ZipFile>(fromBuffer);

/** The unpacked archives of zip functions, each in a folder that its digest names. */
export function createArchiveCache(directory: string) {
  const archives = join(directory, "archives");
  mkdirSync(archives, { recursive: true });
  const nameOf = ({ sha256 }: ZipCode) => Buffer.from(sha256, "base64").toString("hex");

  return {
    pathOf: (code: ZipCode) => join(archives, nameOf(code)),

    async unpack(code: ZipCode, archive: Buffer): Promise<void> {
      const path = join(archives, nameOf(code));
      if (existsSync(path)) return;
      const part = `${path}.part`;
      rmSync(part, { recursive: true, force: true });
      mkdirSync(part);
      await unzip(archive, part);
      renameSync(part, path);
    },

    /** Deletes what none of these needs, and what a killed server left half done. */
    deleteOthers(kept: readonly ZipCode[]): void {
      const names = new Set(kept.map(nameOf));
      for (const name of readdirSync(archives)) {
        if (!names.has(name)) rmSync(join(archives, name), { recursive: true, force: true });
      }
    },
  };
}

/** The modes are kept: a bootstrap that isn't executable fails here as on AWS. The reader refuses `..` in names. */
async function unzip(archive: Buffer, directory: string): Promise<void> {
  const zip = await open(archive, { lazyEntries: true, autoClose: false });
  const openEntry = promisify<Entry, NodeJS.ReadableStream>((entry, done) => zip.openReadStream(entry, done));
  await new Promise<void>((resolve, reject) => {
    zip.on("error", reject).on("end", resolve);
    zip.on("entry", (entry: Entry) => {
      unpackEntry(entry).then(() => zip.readEntry(), reject);
    });
    zip.readEntry();
  });

  async function unpackEntry(entry: Entry): Promise<void> {
    if (entry.fileName.endsWith("/")) return;
    const path = join(directory, entry.fileName);
    mkdirSync(dirname(path), { recursive: true });
    await pipeline(await openEntry(entry), createWriteStream(path));
    // The upper half has the mode, where the archive was made on a system with modes.
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    if (mode !== 0) chmodSync(path, mode);
  }
}
