import { statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import { openStore } from "../store/store.ts";
import { makeScratchFolder } from "../testing/scratch-folder.ts";
import { createFileDigester } from "./file-digest.ts";

const large = (byte: number) => Buffer.alloc(1 << 20, byte);
const muchLater = () => Date.now() + 60_000;

it("remembers a large file's digest, and still sees it change under the same size and time", () => {
  const folder = makeScratchFolder({ large: large(1) });
  const path = join(folder, "large");
  const store = openStore(join(folder, "store"));
  const digestFile = createFileDigester(store, muchLater);
  const { atime, mtime } = statSync(path);

  expect(digestFile(path)).toBe(digestOf(large(1)));
  expect(store.records("file-digests")).toEqual([digestOf(large(1))]);
  writeFileSync(path, large(2));
  utimesSync(path, atime, mtime);
  expect(digestFile(path)).toBe(digestOf(large(2)));
});

it("takes what it remembers for the digest of a file that has not changed", () => {
  const folder = makeScratchFolder({ large: large(1) });
  const path = join(folder, "large");
  const store = openStore(join(folder, "store"));
  createFileDigester(store, muchLater)(path);
  const planted = { ...store, readRecord: () => digestOf("planted") };
  expect(createFileDigester(planted)(path)).toBe(digestOf("planted"));
});

it("remembers neither what was just written nor what is small", () => {
  const folder = makeScratchFolder({ large: large(1), small: "x" });
  const store = openStore(join(folder, "store"));
  createFileDigester(store)(join(folder, "large"));
  expect(createFileDigester(store, muchLater)(join(folder, "small"))).toBe(digestOf("x"));
  expect(store.records("file-digests")).toEqual([]);
});
