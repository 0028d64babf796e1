import { execa } from "execa";

/** One commit: `1c2d3e4 fix: greet by name`. */
export type CommitLine = string;

/**
 * What the checkout has beyond a commit, newest first.
 * @param since the first 12 digits of it
 * @returns `undefined` where Git doesn't know the commit, as in a shallow clone or after a force push
 */
export async function findCommitsSince(directory: string, since: string): Promise<CommitLine[] | undefined> {
  const argv = ["--no-optional-locks", "log", "--oneline", "--no-decorate", `${since}..HEAD`, "--"];
  const git = await execa("git", argv, { cwd: directory, reject: false });
  // 128 is what it says of a revision that it does not know.
  if (git.exitCode === 128) return undefined;
  if (git.failed) throw git;
  return git.stdout === "" ? [] : git.stdout.split("\n");
}
