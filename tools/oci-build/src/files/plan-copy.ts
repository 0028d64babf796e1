import { posix } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { type Change, type FileTree, followLinks, type Node, normalizePath, parentsOf } from "./file-tree.ts";
import { expandPattern, isPattern } from "./glob.ts";

export interface CopyProps {
  readonly sources: readonly string[];
  readonly destination: string;
  /** What a relative destination is relative to. */
  readonly workingDirectory: string;
  readonly from: FileTree;
  readonly onto: FileTree;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
}

/**
 * What a COPY changes, by path. A directory's content is copied rather than the directory; files keep their
 * modes and become root's; directories that are missing on the way are made with mode 0755.
 *
 * @throws CodedError `E_COPY_SOURCE_MISSING`, `E_COPY_DESTINATION`
 * @see https://docs.docker.com/reference/dockerfile/#copy
 */
export function planCopy(props: CopyProps): Change[] {
  const { from, onto, owner = { uid: 0, gid: 0 } } = props;
  const changes = new Map<string, Node>();
  const nodeAt = (path: string) => changes.get(path) ?? onto.find(path);
  const target = { find: nodeAt, list: onto.list };

  const sources = props.sources.flatMap((source) => findSources(from, source));
  const destination = parseDestination(props);
  if (sources.length > 1 && !destination.isFolder) {
    throw new CodedError({
      code: "E_COPY_DESTINATION",
      what: "several sources are copied onto one destination",
      value: props.destination,
      remedy: "End the destination with a slash, which makes it a directory.",
    });
  }

  function makeDirectories(paths: readonly string[]): void {
    for (const path of paths) {
      const there = nodeAt(path);
      if (there === undefined) changes.set(path, { type: "directory", mode: 0o755, ...owner });
      else if (there.type !== "directory") throw inTheWay(path, "is not a directory");
    }
  }

  function put(path: string, node: Node): void {
    makeDirectories(parentsOf(path));
    const there = nodeAt(path);
    if (there !== undefined && (there.type === "directory") !== (node.type === "directory")) {
      throw inTheWay(path, node.type === "directory" ? "is not a directory" : "is a directory");
    }
    const mode = props.mode !== undefined && node.type !== "symlink" ? props.mode : node.mode;
    changes.set(path, { ...node, ...owner, mode });
  }

  function putContents(source: string, path: string): void {
    for (const name of from.list(source)) {
      const node = from.find(join(source, name));
      if (node === undefined) continue;
      put(join(path, name), node);
      if (node.type === "directory") putContents(join(source, name), join(path, name));
    }
  }

  for (const source of sources) {
    const real = followLinks(from, source);
    const node = from.find(real);
    if (node === undefined) throw sourceMissing(source);
    const folder = followLinks(target, destination.path);
    if (node.type === "directory") {
      makeDirectories([...parentsOf(folder), folder]);
      putContents(real, folder);
    } else {
      const isFolder = destination.isFolder || nodeAt(folder)?.type === "directory";
      put(isFolder ? join(folder, posix.basename(source)) : folder, node);
    }
  }
  return sortChanges([...changes].map(([path, node]) => ({ path, node })));
}

/** What makes a directory and those above it, where they are missing; as WORKDIR does. */
export function planDirectory(onto: FileTree, path: string): Change[] {
  const real = followLinks(onto, path);
  return [...parentsOf(real), real]
    .filter((directory) => directory !== "" && onto.find(directory) === undefined)
    .map((directory) => ({ path: directory, node: { type: "directory", mode: 0o755, uid: 0, gid: 0 } }));
}

/** Parents before what is in them. */
export function sortChanges(changes: readonly Change[]): Change[] {
  return changes.toSorted((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0));
}

function findSources(from: FileTree, source: string): string[] {
  const path = normalizePath(source);
  if (!isPattern(path)) return [path];
  const found = expandPattern(from, path);
  if (found.length === 0) throw sourceMissing(source);
  return found;
}

function parseDestination({ destination, workingDirectory }: CopyProps): { path: string; isFolder: boolean } {
  const absolute = destination.startsWith("/") ? destination : `${workingDirectory}/${destination}`;
  return { path: normalizePath(absolute), isFolder: /(^|\/)\.{0,2}$/.test(destination) };
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function sourceMissing(source: string): CodedError {
  return new CodedError({
    code: "E_COPY_SOURCE_MISSING",
    what: "nothing to copy is found there, or .dockerignore excludes it",
    value: source,
    remedy: "Check the path, which is relative to the build context, and .dockerignore.",
  });
}

function inTheWay(path: string, what: string): CodedError {
  return new CodedError({
    code: "E_COPY_DESTINATION",
    what: `what is there already ${what}`,
    value: `/${path}`,
    remedy: "Copy to another path.",
  });
}
