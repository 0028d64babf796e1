import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHistory } from "./git-history.ts";

let directory: string;
let first: string;
let second: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "git-history-"));
  const git = (...argv: string[]) => execaSync("git", argv, { cwd: directory }).stdout;
  git("init", "--quiet");
  const commit = () => {
    git("commit", "--quiet", "--allow-empty", "--message", "any");
    return git("rev-parse", "HEAD");
  };
  first = commit();
  second = commit();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const missing = "0123456789abcdef0123456789abcdef01234567";

describe("openHistory", () => {
  it("knows which commits are there, and which one comes first", async () => {
    const history = await openHistory(directory);
    expect([await history.has(first), await history.has(missing)]).toEqual([true, false]);
    expect(await history.isAncestor(first, second)).toBe(true);
    expect(await history.isAncestor(second, second)).toBe(true);
    expect(await history.isAncestor(second, first)).toBe(false);
  });

  it("takes a failure of Git for no answer", async () => {
    const history = await openHistory(directory);
    await expect(history.isAncestor(missing, second)).rejects.toMatchObject({ exitCode: 128 });
  });
});
