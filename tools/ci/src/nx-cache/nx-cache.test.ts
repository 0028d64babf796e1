import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createScratchWorkspace, type ScratchWorkspace } from "@workspace/e2e";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeStale } from "./server.ts";

const launcher = join(import.meta.dirname, "../../bin/workspace-ci");

let directory: string;
const scratches: ScratchWorkspace[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nx-cache-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  for (const scratch of scratches.splice(0)) scratch.remove();
});

/** Runs a task in a new copy of the workspace, whose Nx knows nothing: as on a new machine. */
async function runTaskOnNewMachine(task: string): Promise<string> {
  const scratch = createScratchWorkspace();
  scratches.push(scratch);
  const argv = ["nx-cache", "--directory", directory, "--", "nx", "run", task];
  const result = await execa(join(scratch.directory, "node_modules/.bin/workspace-ci"), argv, {
    cwd: scratch.directory,
    env: { NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "false" },
  });
  return result.stdout;
}

describe("nx-cache", () => {
  it("gives another machine what this one has done", { timeout: 300_000 }, async () => {
    expect(await runTaskOnNewMachine("shared-config:typecheck")).not.toContain("remote cache");
    expect(readdirSync(directory)).toHaveLength(1);
    expect(await runTaskOnNewMachine("shared-config:typecheck")).toContain("remote cache");
  });

  it.each([
    ["the exit code", "exit 7", 7],
    ["that a signal has ended it", "kill -TERM $$", 1],
  ])("hands on %s", async (_what, script, exitCode) => {
    const run = execa(launcher, ["nx-cache", "--directory", directory, "--", "sh", "-c", script]);
    await expect(run).rejects.toMatchObject({ exitCode });
  });

  it.each(["no-such-command", ""])("says that %j could not be started", async (command) => {
    const run = execa(launcher, ["nx-cache", "--directory", directory, "--", command]);
    await expect(run).rejects.toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(`E_COMMAND_MISSING: .*"${command}"`),
    });
  });
});

it("removeStale takes out what was not used for as long, and nothing else", async () => {
  const now = Date.now();
  for (const [name, ageMs] of [
    ["old", 1001],
    ["used", 999],
  ] as const) {
    writeFileSync(join(directory, name), "");
    utimesSync(join(directory, name), (now - ageMs) / 1000, (now - ageMs) / 1000);
  }
  await removeStale(directory, 1000, now);
  expect(readdirSync(directory)).toEqual(["used"]);
});
