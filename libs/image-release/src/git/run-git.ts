import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CodedError } from "@workspace/shared-config";

export type GitEnded =
  | { readonly kind: "succeeded"; readonly stdout: string }
  | { readonly kind: "failed"; readonly exitCode: number; readonly stderr: string };

const run = promisify(execFile);

/**
 * The only module that starts Git. Not by execa, as the container CLI is: loading that takes longer than Git does, and
 * a release that changes nothing starts nothing else.
 * @throws CodedError `E_GIT_MISSING`
 */
export async function runGit(argv: readonly string[], directory: string): Promise<GitEnded> {
  try {
    const { stdout } = await run("git", argv, { cwd: directory, maxBuffer: 64 * 2 ** 20 });
    return { kind: "succeeded", stdout };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (typeof error.code === "number" && "stderr" in error) {
      return { kind: "failed", exitCode: error.code, stderr: String(error.stderr) };
    }
    if (error.code !== "ENOENT") throw error;
    throw new CodedError({
      code: "E_GIT_MISSING",
      what: "git can't be started",
      value: directory,
      remedy: "Install it: the image's tag is the commit. Is the folder still there?",
      cause: error,
    });
  }
}
