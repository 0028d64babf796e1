import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isAncestor } from "./is-ancestor.ts";

let directory: string;
const git = (...argv: string[]) => execaSync("git", argv, { cwd: directory }).stdout;
const commit = (message: string) => {
  git("commit", "--quiet", "--allow-empty", "--message", message);
  return git("rev-parse", "HEAD");
};
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "is-ancestor-"));
  git("init", "--quiet");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("is so of a commit itself and of what came before it, and of nothing else", async () => {
  const one = commit("feat: one");
  const two = commit("feat: two");
  expect(await isAncestor(directory, one.slice(0, 12), two)).toBe(true);
  expect(await isAncestor(directory, two.slice(0, 12), two.slice(0, 12))).toBe(true);
  expect(await isAncestor(directory, two, one)).toBe(false);
  git("checkout", "--quiet", "-b", "side", one);
  expect(await isAncestor(directory, commit("feat: beside"), two)).toBe(false);
});

it("is unknown of what Git doesn't know", async () => {
  expect(await isAncestor(directory, "0123456789ab", "HEAD")).toBeUndefined();
});
