import { join } from "node:path";
import type { Environment, ScratchWorkspace } from "@workspace/e2e";
import { execa } from "execa";

/** What a part of the bench works with: a workspace that may be edited, on the local AWS. */
export interface Bench {
  readonly scratch: ScratchWorkspace;
  readonly environment: Environment;
  readonly rounds: number;
}

/** Runs a program of the workspace, as a user does. Rejects where it fails. */
export async function run({ scratch, environment }: Bench, name: string, ...argv: string[]): Promise<string> {
  const file = join(scratch.directory, "node_modules/.bin", name);
  const { stdout } = await execa(file, argv, { cwd: scratch.directory, env: environment, extendEnv: false });
  return stdout;
}
