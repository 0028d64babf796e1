import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCommitsSince } from "./commits-since.ts";

describe("findCommitsSince", () => {
  let directory: string;
  const git = (...argv: string[]) => execaSync("git", argv, { cwd: directory }).stdout;
  const commit = (message: string) => {
    git("commit", "--quiet", "--allow-empty", "--message", message);
    return git("rev-parse", "HEAD").slice(0, 12);
  };
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "commits-since-"));
    git("init", "--quiet");
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("lists what came after, newest first", async () => {
    const one = commit("feat: one");
    expect(await findCommitsSince(directory, one)).toEqual([]);
    commit("feat: two");
    commit("fix: three");
    const subjects = (await findCommitsSince(directory, one))?.map((line) => line.replace(/^\w+ /, ""));
    expect(subjects).toEqual(["fix: three", "feat: two"]);
  });

  it("is the same with colours and signatures switched on", async () => {
    const one = commit("feat: four");
    commit("feat: five");
    git("config", "color.ui", "always");
    git("config", "log.showSignature", "true");
    expect(await findCommitsSince(directory, one)).toEqual([expect.stringMatching(/^[0-9a-f]+ feat: five$/)]);
  });

  it("has none where Git doesn't know the commit", async () => {
    expect(await findCommitsSince(directory, "0123456789ab")).toBeUndefined();
  });
});
