import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execaSync } from "execa";

/** The checkout that this file is part of. */
export const workspaceRoot = join(import.meta.dirname, "../../../..");

/** A Git repository with the commands and one app in it; everything else is this checkout's. */
export interface ScratchCheckout {
  readonly directory: string;
  /** Writes a file without committing it. */
  write(path: string, content: string): void;
  /** Commits everything. Gives the tag: the first 12 digits of the commit. */
  commit(message: string): string;
  remove(): void;
}

export function createScratchCheckout(): ScratchCheckout {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "scratch-checkout-")));
  const git = (...argv: string[]) => execaSync("git", argv, { cwd: directory }).stdout;
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  };
  for (const path of ["bin", "src", "package.json"]) {
    const from = join(workspaceRoot, "libs/image-release", path);
    cpSync(from, join(directory, "libs/image-release", path), { recursive: true });
  }
  symlinkSync(join(workspaceRoot, "node_modules"), join(directory, "node_modules"));
  write(".gitignore", "node_modules\ndist\n");
  git("init", "--quiet", "--initial-branch=main");
  return {
    directory,
    write,
    commit(message) {
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "--message", message);
      return git("rev-parse", "HEAD").slice(0, 12);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Where the app's handler is in the checkout. */
export const handlerPath = "apps/lambda-app/src/handler.ts";

/** A handler that answers every event with a status and a text. */
export function buildHandler(statusCode: number, text: string): string {
  return `export const handler = async () => (${JSON.stringify({ statusCode, body: text })});\n`;
}
