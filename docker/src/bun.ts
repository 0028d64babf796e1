import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The workspace's own Bun. */
export const bunPath = join(import.meta.dirname, "../../node_modules/.bin/bun");

const run = promisify(execFile);

export async function runBun(argv: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run(bunPath, argv, { cwd });
  return stdout;
}
