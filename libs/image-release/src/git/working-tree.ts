import { CodedError } from "@workspace/shared-config";
import { runGit } from "./run-git.ts";

/** What Git says of the checkout that a release is made from. */
export interface WorkingTree {
  /** 40 hex digits, or 64 in a SHA-256 repository. */
  readonly commit: string;
  /** Paths with changes that are not committed, untracked ones included, relative to the repository. */
  readonly uncommitted: readonly string[];
}

/** One process tells both, so that they belong to the same moment. */
const gitStatusArgv = [
  "--no-optional-locks",
  "status",
  "--porcelain=v2",
  "--branch",
  "-z",
  "--untracked-files=normal",
  "--no-renames",
];

/**
 * @param directory any folder of the checkout
 * @throws CodedError `E_GIT_MISSING`, `E_NOT_A_CHECKOUT`, `E_NO_COMMIT`
 */
export async function readWorkingTree(directory: string): Promise<WorkingTree> {
  const git = await runGit(gitStatusArgv, directory);
  if (git.kind === "failed") {
    throw new CodedError({
      code: "E_NOT_A_CHECKOUT",
      what: `git can't read the checkout: ${git.stderr.trim()}`,
      value: directory,
      remedy: "Run the command in a Git checkout.",
    });
  }
  return parseGitStatus(git.stdout);
}

/**
 * @param status NUL-separated, as {@link gitStatusArgv} gives it
 * @throws CodedError `E_NO_COMMIT`
 * @see https://git-scm.com/docs/git-status#_porcelain_format_version_2
 */
export function parseGitStatus(status: string): WorkingTree {
  const entries = status.split("\0").filter((entry) => entry !== "");
  const commit = entries.find((entry) => entry.startsWith("# branch.oid "))?.split(" ")[2] ?? "";
  if (!/^[0-9a-f]{40,64}$/.test(commit)) {
    throw new CodedError({
      code: "E_NO_COMMIT",
      what: "the checkout has no commit",
      value: commit,
      remedy: "Commit first: the image's tag is the commit.",
    });
  }
  const uncommitted = entries.filter((entry) => !entry.startsWith("# ")).map(parsePath);
  return { commit, uncommitted };
}

/** How many fields, separated by one space, stand before the path. */
const fieldsBeforePath: Readonly<Record<string, number>> = { "1": 8, u: 10, "?": 1 };

function parsePath(entry: string): string {
  const fields = entry.split(" ");
  return fields.slice(fieldsBeforePath[fields[0] ?? ""] ?? 1).join(" ");
}
