import { type Change, type FileTree, type Node, parentOf, parentsOf } from "./file-tree.ts";

export interface MemoryTree extends FileTree {
  apply(changes: Iterable<Change>): void;
}

const madeDirectory = { type: "directory", mode: 0o755, uid: 0, gid: 0 } as const;

/** The file system that layers add up to. */
export function createMemoryTree(layers: Iterable<Iterable<Change>> = []): MemoryTree {
  const nodes = new Map<string, Node>([["", madeDirectory]]);
  const names = new Map<string, Set<string>>();

  function put(path: string, node: Node): void {
    if (node.type !== "directory") removeChildren(path);
    nodes.set(path, node);
    if (path === "") return;
    const parent = parentOf(path);
    const siblings = names.get(parent) ?? new Set();
    names.set(parent, siblings.add(path.slice(parent === "" ? 0 : parent.length + 1)));
  }

  function remove(path: string): void {
    removeChildren(path);
    nodes.delete(path);
    const parent = parentOf(path);
    names.get(parent)?.delete(path.slice(parent === "" ? 0 : parent.length + 1));
  }

  function removeChildren(path: string): void {
    for (const name of names.get(path) ?? []) remove(path === "" ? name : `${path}/${name}`);
    names.delete(path);
  }

  function apply(changes: Iterable<Change>): void {
    const all = [...changes];
    // A layer's whiteouts hide what lower layers have, never what the layer itself has, wherever they stand in it.
    for (const change of all) {
      if ("node" in change) continue;
      if (change.remove === "path") remove(change.path);
      else removeChildren(change.path);
    }
    for (const change of all) {
      if (!("node" in change)) continue;
      for (const parent of parentsOf(change.path)) {
        if (nodes.get(parent)?.type !== "directory") put(parent, madeDirectory);
      }
      put(change.path, change.node);
    }
  }

  for (const layer of layers) apply(layer);
  return {
    find: (path) => nodes.get(path),
    list: (path) => [...(names.get(path) ?? [])].sort(),
    apply,
  };
}
