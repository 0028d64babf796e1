import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import {
  createScratchWorkspace,
  type ScratchWorkspace,
  workspaceRoot,
} from "../../e2e/src/scratch-workspace.ts";

/**
 * A scratch workspace whose projects also have the packages that npm puts beside them, not into the root's
 * `node_modules`; and where `npm install` can be run: it writes its own record in place, which a hard link
 * would carry into the checkout that the copy is of.
 */
export function createInstalledScratch(): ScratchWorkspace {
  const scratch = createScratchWorkspace();
  const projects = ["apps", "libs", "tools"].flatMap((room) =>
    readdirSync(join(scratch.directory, room)).map((name) => join(room, name)),
  );
  for (const project of projects) {
    const source = join(workspaceRoot, project, "node_modules");
    const target = join(scratch.directory, project, "node_modules");
    if (existsSync(source) && !existsSync(target)) execaSync("cp", ["-al", source, target]);
  }
  const record = "node_modules/.package-lock.json";
  rmSync(join(scratch.directory, record), { force: true });
  cpSync(join(workspaceRoot, record), join(scratch.directory, record));
  return scratch;
}
