import { expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import type { Change } from "./file-tree.ts";
import { createMemoryTree } from "./memory-tree.ts";

const file = (path: string): Change => ({
  path,
  node: {
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    digest: digestOf(""),
    source: { kind: "disk", path },
  },
});

it("adds layers up, with what they remove", () => {
  const tree = createMemoryTree([
    [file("a/gone"), file("a/kept"), file("b/1"), file("b/2"), file("c")],
    [
      file("b/3"),
      { path: "a/gone", remove: "path" },
      { path: "b", remove: "children" },
      { path: "c", remove: "path" },
    ],
  ]);
  expect([tree.list(""), tree.list("a"), tree.list("b"), tree.list("c")]).toEqual([
    ["a", "b"],
    ["kept"],
    ["3"],
    [],
  ]);
  expect(tree.find("b/1")).toBeUndefined();
});

it("replaces a directory and all in it by a file", () => {
  const tree = createMemoryTree([[file("a/b/c")], [file("a")]]);
  expect([tree.find("a")?.type, tree.find("a/b"), tree.list("a")]).toEqual(["file", undefined, []]);
});
