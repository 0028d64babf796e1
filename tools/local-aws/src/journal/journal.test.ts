import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openJournal } from "./journal.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "journal-test-"));
  path = join(directory, "deep/journal");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("is read again as it was written", () => {
  openJournal(path, 10).append([{ a: 1 }, { a: "line\nbreak" }]);
  openJournal(path, 10).append([{ a: 3 }]);
  expect(openJournal(path, 10).entries).toEqual([{ a: 1 }, { a: "line\nbreak" }, { a: 3 }]);
});

it("keeps the last entries, and its file does not grow for ever", () => {
  const journal = openJournal<number>(path, 10);
  for (let entry = 0; entry < 1000; entry += 1) journal.append([entry]);
  expect(journal.entries.slice(-10)).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
  expect(readFileSync(path, "utf8").split("\n").length).toBeLessThanOrEqual(21);
  expect(openJournal(path, 10).entries).toEqual(journal.entries.slice(-10));
});

it("loses at most the entry whose writing was cut off", () => {
  openJournal(path, 10).append([1, 2]);
  appendFileSync(path, '{"a":');
  openJournal<number>(path, 10).append([3]);
  expect(openJournal(path, 10).entries).toEqual([1, 2, 3]);
});

it("is empty when it is deleted", () => {
  const journal = openJournal(path, 10);
  journal.append([1]);
  journal.delete();
  expect([journal.entries, openJournal(path, 10).entries]).toEqual([[], []]);
});

it("has no entry that found no space, and is whole again with the next one", () => {
  const journal = openJournal<number>(path, 10);
  journal.append([1]);
  rmSync(path);
  symlinkSync("/dev/full", path);
  expect(() => journal.append([2])).toThrow("ENOSPC");
  expect(journal.entries).toEqual([1]);
  rmSync(path);
  writeFileSync(path, "1\n[2,");
  journal.append([3]);
  expect(openJournal(path, 10).entries).toEqual([1, 3]);
});

it("names its file where a line of it is broken", () => {
  openJournal(path, 10).append([1]);
  appendFileSync(path, "{bad\n");
  expect(() => openJournal(path, 10)).toThrow(`E_STATE_CORRUPT: ${path}`);
});
