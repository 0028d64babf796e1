import { runGit } from "./run-git.ts";

/**
 * Whether a commit is another one or comes before it.
 * @param ancestor at least its first digits, as `commit`
 * @returns `undefined` where Git doesn't know one of them, as in a shallow clone
 * @throws CodedError `E_GIT_MISSING`
 */
export async function isAncestor(
  directory: string,
  ancestor: string,
  commit: string,
): Promise<boolean | undefined> {
  const argv = ["--no-optional-locks", "merge-base", "--is-ancestor", ancestor, commit];
  const git = await runGit(argv, directory);
  if (git.kind === "succeeded") return true;
  if (git.exitCode === 1) return false;
  if (git.exitCode === 128) return undefined;
  throw new Error(`git ${argv.join(" ")} ended with ${git.exitCode}: ${git.stderr}`);
}
