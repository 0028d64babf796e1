import { expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import { expandPattern } from "./glob.ts";
import { createMemoryTree } from "./memory-tree.ts";

const names = [
  "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
  "usr/lib/x86_64-linux-gnu/libc.so.6",
  "usr/lib/aarch64-linux-gnu/libc.so.6",
  "usr/lib/libc.so.6",
  "a.b",
  "a-b",
  "axb",
  "a[b",
  "a*b",
  "(a)+{b}$^|",
];
const ownership = { mode: 0o644, uid: 0, gid: 0 };
const source = { kind: "disk", path: "" } as const;
const files = names.map((path) => ({
  path,
  node: { type: "file", sizeBytes: 0, digest: digestOf(""), source, ...ownership } as const,
}));
const lib = { path: "lib", node: { type: "symlink", target: "usr/lib", ...ownership } as const };
const tree = createMemoryTree([[...files, lib]]);

it.each<[string, string[]]>([
  ["usr/lib/*-linux-gnu/ld-linux-*.so.*", ["usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"]],
  ["usr/lib/*/libc.so.6", ["usr/lib/aarch64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"]],
  ["lib/libc.so.*", ["lib/libc.so.6"]],
  ["usr/*/libc.so.6", ["usr/lib/libc.so.6"]],
  ["a?b", ["a*b", "a-b", "a.b", "a[b", "axb"]],
  ["a.?", ["a.b"]],
  ["a-?", ["a-b"]],
  ["a[.-]b", ["a-b", "a.b"]],
  ["a[^x-z[*]b", ["a-b", "a.b"]],
  ["a\\*b", ["a*b"]],
  ["a\\[?", ["a[b"]],
  ["(a)+{b}$^|*", ["(a)+{b}$^|"]],
  ["none*", []],
])("%s", (pattern, expected) => {
  expect(expandPattern(tree, pattern)).toEqual(expected);
});
