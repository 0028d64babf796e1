import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { devNull, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { execaSync } from "execa";
import { restoreSampleState } from "./sample-state.ts";

/** The checkout that this file is part of. */
export const workspaceRoot = join(import.meta.dirname, "../../..");

/** A copy of the workspace, in a Git repository of its own, that may be edited, committed to and deployed. */
export interface ScratchWorkspace {
  readonly directory: string;
  /** Replaces `from`, which must be there once, in a file, and commits. Gives the commit. */
  edit(path: string, from: string, to: string, message: string): string;
  /** Writes a file without committing it. */
  write(path: string, content: string): void;
  commit(message: string): string;
  remove(): void;
}

/**
 * Copies the working tree, uncommitted changes included, with the sample as its only function, and hard-links the
 * installed packages.
 * @throws CodedError `E_NOT_INSTALLED`, `E_NOT_A_CHECKOUT`, `E_SAMPLE_STATE`
 */
export function createScratchWorkspace(): ScratchWorkspace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "scratch-workspace-")));
  try {
    copyWorkingTree(directory);
    linkInstalledPackages(directory);
    restoreSampleState(directory);
    git(directory, "init", "--quiet", "--initial-branch=main");
    return openScratchWorkspace(directory);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function openScratchWorkspace(directory: string): ScratchWorkspace {
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  };
  const commit = (message: string) => {
    git(directory, "add", "--all");
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message);
    return git(directory, "rev-parse", "HEAD");
  };
  commit("chore: start");
  return {
    directory,
    write,
    commit,
    edit(path, from, to, message) {
      const before = readFileSync(join(directory, path), "utf8");
      if (before.split(from).length !== 2) {
        throw new CodedError({
          code: "E_EDIT_DOES_NOT_FIT",
          what: `the text to replace is not in ${path} exactly once`,
          value: from,
          remedy: "Choose a text that is.",
        });
      }
      write(path, before.replace(from, to));
      return commit(message);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function copyWorkingTree(directory: string): void {
  const listed = execaSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: workspaceRoot,
    reject: false,
  });
  if (listed.failed) {
    throw new CodedError({
      code: "E_NOT_A_CHECKOUT",
      what: "the workspace is not a Git checkout",
      value: workspaceRoot,
      remedy: "Clone it with Git: the image's tag is the commit.",
      cause: listed,
    });
  }
  const deleted = new Set(
    lines(execaSync("git", ["ls-files", "-z", "--deleted"], { cwd: workspaceRoot }).stdout),
  );
  for (const path of lines(listed.stdout)) {
    if (!deleted.has(path))
      cpSync(join(workspaceRoot, path), join(directory, path), { verbatimSymlinks: true });
  }
}

/** Those of the root, and those that a project has for itself because another needs a different version. */
function linkInstalledPackages(directory: string): void {
  const projects = ["apps", "libs", "tools"].flatMap((room) =>
    readdirSync(join(workspaceRoot, room)).map((name) => join(room, name)),
  );
  const folders = ["", "docker", ...projects].map((folder) => join(folder, "node_modules"));
  for (const folder of folders.filter((candidate) => existsSync(join(workspaceRoot, candidate)))) {
    linkFolder(join(workspaceRoot, folder), join(directory, folder));
  }
}

function linkFolder(source: string, target: string): void {
  const linked = execaSync("cp", ["-al", source, target], { reject: false });
  if (!linked.failed) return;
  rmSync(target, { recursive: true, force: true });
  const copied = execaSync("cp", ["-a", source, target], { reject: false });
  if (copied.failed) {
    throw new CodedError({
      code: "E_NOT_INSTALLED",
      what: "the installed packages could not be copied",
      value: source,
      remedy: "Run `npm ci`; make room for a copy under the temporary folder (TMPDIR).",
      cause: copied,
    });
  }
}

/** The same content has the same commit in every scratch workspace, and so the same tag. */
const commitDate = "2026-01-01T00:00:00Z";

/** What the user's own configuration may ask for, such as hooks, is meant for other repositories. */
const gitSettings = [
  "user.name=Scratch",
  "user.email=scratch@example.com",
  "commit.gpgSign=false",
  "core.autocrlf=false",
  `core.hooksPath=${devNull}`,
];

function git(directory: string, ...argv: string[]): string {
  const settings = gitSettings.flatMap((setting) => ["-c", setting]);
  const env = { GIT_AUTHOR_DATE: commitDate, GIT_COMMITTER_DATE: commitDate };
  return execaSync("git", [...settings, ...argv], { cwd: directory, env }).stdout;
}

function lines(nulSeparated: string): string[] {
  return nulSeparated.split("\0").filter((line) => line !== "");
}
