import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { digestOf, hexOf } from "../image/digest.ts";
import { makeScratchFolder } from "../testing/scratch-folder.ts";
import { openStore } from "./store.ts";

const content = Buffer.from("content");
const blob = { digest: digestOf(content), size: content.byteLength };

it("keeps a blob under its digest, however it was written", async () => {
  const store = openStore(makeScratchFolder());
  expect([store.hasBlob(blob), store.readBlob(blob.digest)]).toEqual([false, undefined]);
  const writer = await store.openBlobWriter();
  for (const byte of content) await writer.write(Buffer.of(byte));
  expect(await writer.commit()).toEqual(blob);
  expect([store.hasBlob(blob), store.readBlob(blob.digest)]).toEqual([true, content]);
  expect(store.putBlob(content)).toBe(blob.digest);
});

it("has no blob of another size than it should have", () => {
  const folder = makeScratchFolder();
  const store = openStore(folder);
  store.putBlob(content);
  writeFileSync(join(folder, "blobs/sha256", hexOf(blob.digest)), "cont");
  expect([store.hasBlob(blob), store.readBlob(blob.digest)]).toEqual([false, undefined]);
});

it("takes a record that lost its bytes for none", () => {
  const folder = makeScratchFolder();
  const store = openStore(folder);
  store.writeRecord("tags", "a", 1);
  for (const name of readdirSync(join(folder, "tags"))) writeFileSync(join(folder, "tags", name), "");
  expect([store.readRecord("tags", "a"), store.records("tags")]).toEqual([undefined, []]);
});

it("keeps nothing of a blob that is refused or discarded", async () => {
  const folder = makeScratchFolder();
  const store = openStore(folder);
  const refused = await store.openBlobWriter();
  await refused.write(content);
  const refuse = () => {
    throw new Error("refused");
  };
  await expect(refused.commit(refuse)).rejects.toThrow("refused");
  const discarded = await store.openBlobWriter();
  await discarded.discard();
  expect([readdirSync(join(folder, "partial")), store.hasBlob(blob)]).toEqual([[], false]);
});

it("keeps records by kind and key", () => {
  const store = openStore(makeScratchFolder());
  store.writeRecord("tags", "a/b:1", { name: "a/b:1" });
  store.writeRecord("tags", "c", 1);
  expect(store.readRecord("tags", "a/b:1")).toEqual({ name: "a/b:1" });
  expect([store.readRecord("layers", "a/b:1"), store.readRecord("tags", "none")]).toEqual([
    undefined,
    undefined,
  ]);
  expect(store.records("tags")).toHaveLength(2);
  expect(store.records("locations")).toEqual([]);
});

it("prunes what is old, and leaves what is new", () => {
  const folder = makeScratchFolder();
  const store = openStore(folder);
  store.putBlob(content);
  store.writeRecord("tags", "new", 1);
  writeFileSync(join(folder, "partial/abandoned"), "half");
  const old = [join(folder, "blobs/sha256", hexOf(blob.digest)), join(folder, "partial/abandoned")];
  const { mtimeMs } = statSync(folder);
  for (const path of old) utimesSync(path, 0, 0);
  expect(store.prune(mtimeMs - 1000)).toBe(content.byteLength + 4);
  expect(old.map((path) => existsSync(path))).toEqual([false, false]);
  expect(store.readRecord("tags", "new")).toBe(1);
});
