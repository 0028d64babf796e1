import { posix } from "node:path";
import { CodedError } from "@workspace/shared-config";
import type { Digest } from "../image/digest.ts";
import type { Descriptor } from "../image/manifest.ts";

/** A file, directory or symlink of an image or a build context, without its name. */
export type Node = DirectoryNode | FileNode | SymlinkNode;

export interface DirectoryNode extends Ownership {
  readonly type: "directory";
}

export interface FileNode extends Ownership {
  readonly type: "file";
  readonly sizeBytes: number;
  readonly digest: Digest;
  readonly source: FileSource;
}

export interface SymlinkNode extends Ownership {
  readonly type: "symlink";
  readonly target: string;
}

export interface Ownership {
  /** Permission bits with setuid, setgid and sticky: `0o755`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Where a file's bytes are: on this machine's disk, or in a layer of an image. */
export type FileSource =
  | { readonly kind: "disk"; readonly path: string }
  | { readonly kind: "layer"; readonly layer: Descriptor; readonly path: string };

/**
 * A file system to copy from or onto. Paths have neither a slash at the start nor at the end, the root is the
 * empty string, and symlinks are not followed.
 */
export interface FileTree {
  find(path: string): Node | undefined;
  /** Names, sorted; empty for whatever is no directory. */
  list(path: string): readonly string[];
}

/** What a layer does to a path: puts something there, or removes what lower layers have there. */
export type Change =
  | { readonly path: string; readonly node: Node }
  | { readonly path: string; readonly remove: "path" | "children" };

const maximalLinks = 255;

/**
 * Where a path leads when every symlink on it is followed, within the tree as in a chroot. The last parts of
 * the path need not exist.
 *
 * @throws CodedError `E_SYMLINK_LOOP`
 */
export function followLinks(tree: FileTree, path: string): string {
  const open = normalizePath(path).split("/").filter(Boolean);
  let reached = "";
  for (let links = 0; open.length > 0; ) {
    const next = normalizePath(`${reached}/${open.shift()}`);
    const node = tree.find(next);
    if (node?.type !== "symlink") {
      reached = next;
      continue;
    }
    links += 1;
    if (links > maximalLinks) {
      throw new CodedError({
        code: "E_SYMLINK_LOOP",
        what: "the path leads through a loop of symlinks",
        value: path,
        remedy: "Break the loop.",
      });
    }
    open.unshift(...node.target.split("/").filter(Boolean));
    if (node.target.startsWith("/")) reached = "";
  }
  return reached;
}

/** Resolves `.`, `..`, double and outer slashes; nothing leads out of the root. */
export function normalizePath(path: string): string {
  return posix.join("/", path).replace(/^\/|\/$/g, "");
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Every directory above the path, the outermost first, without the root. */
export function parentsOf(path: string): string[] {
  const parent = parentOf(path);
  return parent === "" ? [] : [...parentsOf(parent), parent];
}
