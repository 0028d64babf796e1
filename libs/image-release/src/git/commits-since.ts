import { runGit } from "./run-git.ts";

/** One commit: `1c2d3e4 fix: greet by name`. */
export type CommitLine = string;

/**
 * What the checkout has beyond a commit, newest first.
 * @param since the first 12 digits of it
 * @returns `undefined` where Git doesn't know the commit, as in a shallow clone or after a force push
 */
export async function findCommitsSince(directory: string, since: string): Promise<CommitLine[] | undefined> {
  const argv = [
    "--no-optional-locks",
    "log",
    "--oneline",
    "--no-decorate",
    "--no-color",
    "--no-show-signature",
    `${since}..HEAD`,
    "--",
  ];
  const git = await runGit(argv, directory);
  if (git.kind === "succeeded") return git.stdout.split("\n").filter((line) => line !== "");
  // What it says of a revision that it does not know.
  if (git.exitCode === 128) return undefined;
  throw new Error(`git ${argv.join(" ")} ended with ${git.exitCode}: ${git.stderr}`);
}
