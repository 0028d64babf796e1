import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseGitStatus, readWorkingTree } from "./working-tree.ts";

const oid = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

describe("parseGitStatus", () => {
  it.each([
    ["a clean tree", [], []],
    ["a changed file", ["1 .M N... 100644 100644 100644 1111 2222 src/a b.ts"], ["src/a b.ts"]],
    ["a conflict", ["u UU N... 100644 100644 100644 100644 1 2 3 src/c.ts"], ["src/c.ts"]],
    ["an untracked folder", ["? new folder/"], ["new folder/"]],
  ])("reads %s", (_name, entries, uncommitted) => {
    const status = [`# branch.oid ${oid}`, "# branch.head main", ...entries, ""].join("\0");
    expect(parseGitStatus(status)).toEqual({ commit: oid, uncommitted });
  });

  it("refuses a repository without a commit", () => {
    expect(() => parseGitStatus("# branch.oid (initial)\0# branch.head main\0")).toThrow("E_NO_COMMIT");
  });
});

describe("readWorkingTree", () => {
  let directory: string;
  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "working-tree-")));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const git = (...argv: string[]) => execaSync("git", argv, { cwd: directory }).stdout;

  it("tells the commit and what is not in it", async () => {
    git("init", "--quiet");
    mkdirSync(join(directory, "sub"));
    writeFileSync(join(directory, ".gitignore"), "ignored\n");
    writeFileSync(join(directory, "sub/a.ts"), "1");
    git("add", ".");
    git("commit", "--quiet", "--message", "one");
    writeFileSync(join(directory, "ignored"), "");
    const commit = git("rev-parse", "HEAD");
    expect(await readWorkingTree(join(directory, "sub"))).toEqual({ commit, uncommitted: [] });

    writeFileSync(join(directory, "sub/a.ts"), "2");
    git("mv", ".gitignore", "moved with space");
    expect((await readWorkingTree(directory)).uncommitted.toSorted()).toEqual([
      ".gitignore",
      "ignored",
      "moved with space",
      "sub/a.ts",
    ]);
  });

  it("refuses a folder outside of any repository", async () => {
    await expect(readWorkingTree(directory)).rejects.toThrow("E_NOT_A_CHECKOUT");
    await expect(readWorkingTree(join(directory, "none"))).rejects.toThrow("E_GIT_MISSING");
  });
});
