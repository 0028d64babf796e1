import { CodedError } from "@workspace/shared-config";
import { execa } from "execa";
import type { History } from "./base.ts";

/** @throws CodedError `E_HISTORY_SHALLOW` where the clone does not have the whole history */
export async function openHistory(directory: string): Promise<History> {
  const git = async (...argv: string[]) => execa("git", argv, { cwd: directory, reject: false });
  const shallow = await execa("git", ["rev-parse", "--is-shallow-repository"], { cwd: directory });
  if (shallow.stdout === "true") {
    throw new CodedError({
      code: "E_HISTORY_SHALLOW",
      what: "the clone does not have the whole history, so what changed can't be known",
      value: directory,
      remedy: "Check out with `fetch-depth: 0`.",
    });
  }
  return {
    async has(commit) {
      return (await git("cat-file", "-e", `${commit}^{commit}`)).exitCode === 0;
    },
    async isAncestor(ancestor, commit) {
      const result = await git("merge-base", "--is-ancestor", ancestor, commit);
      // 1 is the answer "no"; everything else is a failure. https://git-scm.com/docs/git-merge-base
      if (result.exitCode === 0 || result.exitCode === 1) return result.exitCode === 0;
      throw result;
    },
  };
}

/** @throws CodedError `E_COMMIT_UNKNOWN` */
export function resolveCommit(directory: string, revision: string): Promise<string> {
  return readCommit(directory, ["rev-parse", "--verify", `${revision}^{commit}`], revision);
}

/** The commit from which two lines of history go apart. @throws CodedError `E_COMMIT_UNKNOWN` where they have none */
export function resolveMergeBase(directory: string, one: string, other: string): Promise<string> {
  return readCommit(directory, ["merge-base", one, other], `${one} and ${other}`);
}

async function readCommit(directory: string, argv: readonly string[], revisions: string): Promise<string> {
  const { exitCode, stdout, stderr } = await execa("git", argv, { cwd: directory, reject: false });
  if (exitCode === 0) return stdout;
  throw new CodedError({
    code: "E_COMMIT_UNKNOWN",
    what: `git knows no commit for ${revisions}`,
    value: stderr || argv.join(" "),
    remedy: "Fetch what is missing, `git fetch origin main` for `origin/main`, or name another commit.",
  });
}
