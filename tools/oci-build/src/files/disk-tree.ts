import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import dockerignore, { type Ignore } from "@balena/dockerignore";
import { CodedError } from "@workspace/shared-config";
import type { Digest } from "../image/digest.ts";
import { isFileError } from "./file-error.ts";
import type { FileTree, Node } from "./file-tree.ts";

export interface DiskTreeProps {
  readonly directory: string;
  /** What `.dockerignore` says, if there is one. */
  readonly ignored?: string;
  readonly digestFile: (path: string) => Digest;
}

/** A build context: a folder without what `.dockerignore` excludes. Everything in it belongs to root, as in docker. */
export function createDiskTree({ directory, ignored, digestFile }: DiskTreeProps): FileTree {
  const filter = ignored === undefined ? undefined : parseIgnored(ignored);
  const pathOf = (path: string) => join(directory, path);

  function find(path: string): Node | undefined {
    const stats = statIfThere(pathOf(path));
    if (stats === undefined || isHidden(path, stats)) return undefined;
    const ownership = { mode: stats.mode & 0o7777, uid: 0, gid: 0 };
    if (stats.isDirectory()) return { type: "directory", ...ownership };
    if (stats.isSymbolicLink()) return { type: "symlink", target: readlinkSync(pathOf(path)), ...ownership };
    if (!stats.isFile()) throw notCopyable(pathOf(path));
    return {
      type: "file",
      sizeBytes: stats.size,
      get digest() {
        return digestFile(pathOf(path));
      },
      source: { kind: "disk", path: pathOf(path) },
      ...ownership,
    };
  }

  /** An excluded folder stays as far as an exception (`!folder/file`) brings something in it back. */
  function isHidden(path: string, stats: Stats): boolean {
    if (filter === undefined || path === "" || !filter.rules.ignores(path)) return false;
    if (!stats.isDirectory() || !filter.hasExceptions) return true;
    return list(path).length === 0;
  }

  function list(path: string): string[] {
    const entries = readdirSync(pathOf(path), { withFileTypes: true });
    const names = entries.map((entry) => entry.name).sort();
    return filter === undefined
      ? names
      : names.filter((name) => isVisible(path === "" ? name : `${path}/${name}`));
  }

  function isVisible(path: string): boolean {
    const stats = statIfThere(pathOf(path));
    return stats !== undefined && !isHidden(path, stats);
  }

  return { find, list };
}

function parseIgnored(text: string): { rules: Ignore; hasExceptions: boolean } {
  return { rules: dockerignore.default().add(text), hasExceptions: /^\s*!/m.test(text) };
}

/** `<Dockerfile>.dockerignore` wins over the context's `.dockerignore`. */
export function readIgnoreFile(contextDirectory: string, dockerfilePath: string): string | undefined {
  for (const path of [`${dockerfilePath}.dockerignore`, join(contextDirectory, ".dockerignore")]) {
    if (statIfThere(path) !== undefined) return readFileSync(path, "utf8");
  }
  return undefined;
}

function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isFileError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function notCopyable(path: string): CodedError {
  return new CodedError({
    code: "E_COPY_SOURCE_UNSUPPORTED",
    what: "only files, directories and symlinks can be copied",
    value: path,
    remedy: "Remove it, or exclude it in .dockerignore.",
  });
}
