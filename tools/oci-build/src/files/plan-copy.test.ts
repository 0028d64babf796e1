import { describe, expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import type { Change, Node } from "./file-tree.ts";
import { createMemoryTree } from "./memory-tree.ts";
import { planCopy, planDirectory } from "./plan-copy.ts";

const file = (content = "", mode = 0o644): Node => ({
  type: "file",
  mode,
  uid: 7,
  gid: 7,
  sizeBytes: content.length,
  digest: digestOf(content),
  source: { kind: "disk", path: "/nowhere" },
});
const directory = (mode = 0o755): Node => ({ type: "directory", mode, uid: 0, gid: 0 });
const symlink = (target: string): Node => ({ type: "symlink", target, mode: 0o777, uid: 0, gid: 0 });
const tree = (nodes: Record<string, Node>) =>
  createMemoryTree([Object.entries(nodes).map(([path, node]) => ({ path, node }))]);

const context = tree({
  "app.js": file("app"),
  "app.css": file("css"),
  "app[1].js": file("bracket"),
  engine: file("engine", 0o755),
  dir: directory(0o700),
  "dir/sub": directory(0o711),
  "dir/sub/y": file("y"),
  "dir/link": symlink("sub/y"),
  current: symlink("dir"),
  loop: symlink("loop"),
});

interface Case {
  sources: string[];
  destination: string;
  workingDirectory?: string;
  onto?: Record<string, Node>;
  owner?: { uid: number; gid: number };
  mode?: number;
}

function plan({ workingDirectory = "/", onto = {}, ...props }: Case): Change[] {
  return planCopy({ workingDirectory, from: context, onto: tree(onto), ...props });
}

/** `755 0:0 path`, with `/` behind directories and the target behind symlinks. */
function show(changes: Change[]): string[] {
  return changes.map((change) => {
    if (!("node" in change)) return `removes ${change.path}`;
    const { path, node } = change;
    const suffix = node.type === "directory" ? "/" : node.type === "symlink" ? ` -> ${node.target}` : "";
    return `${node.mode.toString(8)} ${node.uid}:${node.gid} ${path}${suffix}`;
  });
}

describe("planCopy", () => {
  it.each<[string, Case, string[]]>([
    ["a file to a new name", { sources: ["app.js"], destination: "/x" }, ["644 0:0 x"]],
    [
      "a file into a folder that is made",
      { sources: ["app.js"], destination: "/x/" },
      ["755 0:0 x/", "644 0:0 x/app.js"],
    ],
    [
      "a file into a folder that is there",
      { sources: ["app.js"], destination: "/x", onto: { x: directory() } },
      ["644 0:0 x/app.js"],
    ],
    ["a file over another", { sources: ["app.js"], destination: "/x", onto: { x: file() } }, ["644 0:0 x"]],
    [
      "relative to the working directory",
      { sources: ["engine"], destination: "./", workingDirectory: "/var/task" },
      ["755 0:0 var/", "755 0:0 var/task/", "755 0:0 var/task/engine"],
    ],
    [
      "to the working directory itself",
      { sources: ["engine"], destination: ".", workingDirectory: "/w", onto: { w: directory() } },
      ["755 0:0 w/engine"],
    ],
    [
      "a folder's content, with modes, but not its own",
      { sources: ["dir"], destination: "/new" },
      ["755 0:0 new/", "777 0:0 new/link -> sub/y", "711 0:0 new/sub/", "644 0:0 new/sub/y"],
    ],
    ["everything", { sources: ["dir/sub/."], destination: "/" }, ["644 0:0 y"]],
    [
      "what a symlink leads to, under the symlink's name",
      { sources: ["dir/link", "current/sub/y"], destination: "/x/" },
      ["755 0:0 x/", "644 0:0 x/link", "644 0:0 x/y"],
    ],
    [
      "what matches a pattern",
      { sources: ["app.*", "d*/s?b/[x-z]"], destination: "/x/" },
      ["755 0:0 x/", "644 0:0 x/app.css", "644 0:0 x/app.js", "644 0:0 x/y"],
    ],
    ["what an escaped pattern names", { sources: ["app\\[1].js"], destination: "/x" }, ["644 0:0 x"]],
    [
      "with owner and mode",
      { sources: ["dir/sub"], destination: "/x", owner: { uid: 1, gid: 2 }, mode: 0o600 },
      ["755 1:2 x/", "600 1:2 x/y"],
    ],
    [
      "through a symlink of the image",
      {
        sources: ["app.js"],
        destination: "/lib/x",
        onto: { lib: symlink("usr/lib"), "usr/lib": directory() },
      },
      ["644 0:0 usr/lib/x"],
    ],
    [
      "through a symlink that leads to nothing yet",
      { sources: ["app.js"], destination: "/lib/", onto: { lib: symlink("/usr/lib") } },
      ["755 0:0 usr/", "755 0:0 usr/lib/", "644 0:0 usr/lib/app.js"],
    ],
    [
      "never out of the context or the image",
      { sources: ["../../app.js"], destination: "../../../x" },
      ["644 0:0 x"],
    ],
  ])("copies %s", (_, props, expected) => {
    expect(show(plan(props))).toEqual(expected);
  });

  it.each<[string, Case, string]>([
    ["a missing file", { sources: ["none"], destination: "/x" }, "E_COPY_SOURCE_MISSING"],
    ["a pattern without a match", { sources: ["none*"], destination: "/x/" }, "E_COPY_SOURCE_MISSING"],
    [
      "several sources onto one file",
      { sources: ["app.js", "engine"], destination: "/x" },
      "E_COPY_DESTINATION",
    ],
    ["several matches onto one file", { sources: ["app*"], destination: "/x" }, "E_COPY_DESTINATION"],
    [
      "a folder onto a file",
      { sources: ["dir"], destination: "/x", onto: { x: file() } },
      "E_COPY_DESTINATION",
    ],
    [
      "a file onto a folder",
      { sources: ["dir"], destination: "/", onto: { "sub/y": directory() } },
      "E_COPY_DESTINATION",
    ],
    ["a loop of symlinks", { sources: ["loop"], destination: "/x" }, "E_SYMLINK_LOOP"],
  ])("refuses %s", (_, props, code) => {
    expect(() => plan(props)).toThrow(expect.objectContaining({ code }));
  });
});

describe("planDirectory", () => {
  it("makes what is missing", () => {
    const onto = tree({ var: directory(0o700) });
    expect(show(planDirectory(onto, "var/task/x"))).toEqual(["755 0:0 var/task/", "755 0:0 var/task/x/"]);
    expect(planDirectory(onto, "var")).toEqual([]);
  });
});
