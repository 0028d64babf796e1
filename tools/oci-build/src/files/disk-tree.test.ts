import { describe, expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import { makeScratchFolder, type ScratchFile } from "../testing/scratch-folder.ts";
import { createDiskTree, readIgnoreFile } from "./disk-tree.ts";
import type { FileTree } from "./file-tree.ts";

const files = { "app.js": "", "keep/a": "", "keep/b.log": "", "node_modules/x/y": "", "node_modules/z": "" };

function openTree(ignored?: string, content: Record<string, ScratchFile> = files): FileTree {
  return createDiskTree({
    directory: makeScratchFolder(content),
    digestFile: () => digestOf(""),
    ...(ignored !== undefined && { ignored }),
  });
}

function listAll(tree: FileTree, folder = ""): string[] {
  return tree.list(folder).flatMap((name) => {
    const path = folder === "" ? name : `${folder}/${name}`;
    return tree.find(path)?.type === "directory" ? listAll(tree, path) : [path];
  });
}

describe("createDiskTree", () => {
  it.each([
    [undefined, Object.keys(files)],
    ["node_modules", ["app.js", "keep/a", "keep/b.log"]],
    ["**/*.log\nnode_modules", ["app.js", "keep/a"]],
    ["*\n!keep/a", ["keep/a"]],
    ["node_modules\n!node_modules/x", ["app.js", "keep/a", "keep/b.log", "node_modules/x/y"]],
    ["# node_modules\n", Object.keys(files)],
  ])("shows what %j leaves", (ignored, expected) => {
    const tree = openTree(ignored);
    expect(listAll(tree)).toEqual([...expected].sort());
    for (const path of Object.keys(files)) {
      expect([path, tree.find(path) !== undefined]).toEqual([path, expected.includes(path)]);
    }
  });

  it("keeps modes and symlinks, and makes everything root's", () => {
    const tree = openTree(undefined, { run: { mode: 0o4750, text: "x" }, link: { link: "../run" } });
    expect(tree.find("run")).toMatchObject({ type: "file", mode: 0o4750, uid: 0, gid: 0, sizeBytes: 1 });
    expect(tree.find("link")).toMatchObject({ type: "symlink", target: "../run" });
    expect([tree.find("none"), tree.find("run/none")]).toEqual([undefined, undefined]);
  });
});

describe("readIgnoreFile", () => {
  it("prefers the Dockerfile's own", () => {
    const folder = makeScratchFolder({ ".dockerignore": "a", "Other.dockerignore": "b" });
    expect(readIgnoreFile(folder, `${folder}/Dockerfile`)).toBe("a");
    expect(readIgnoreFile(folder, `${folder}/Other`)).toBe("b");
    expect(readIgnoreFile(makeScratchFolder(), `${folder}/Dockerfile`)).toBeUndefined();
  });
});
