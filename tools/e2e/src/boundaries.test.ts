import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScratchWorkspace, type ScratchWorkspace } from "./scratch-workspace.ts";

let scratch: ScratchWorkspace;
beforeAll(() => {
  scratch = createScratchWorkspace();
});
afterAll(() => scratch.remove());

/** Compiles one project of the scratch workspace, with a file planted in it. */
async function compileWith(project: string, source: string) {
  const planted = `${project}/src/planted.ts`;
  scratch.write(planted, source);
  const result = await execa("node_modules/.bin/tsc", ["--build", "--pretty", "false", project], {
    cwd: scratch.directory,
    reject: false,
  });
  rmSync(join(scratch.directory, planted));
  return result;
}

describe("a forbidden import does not compile", () => {
  it.each([
    ["an app imports a tool", "apps/infra", "@workspace/local-aws"],
    ["a library imports a tool", "libs/handoff", "@workspace/oci-build"],
    ["a library imports an app", "libs/handoff", "@workspace/lambda-app"],
    ["a library imports the infra", "libs/handoff", "@workspace/infra"],
    ["a library imports one that its room doesn't name", "libs/shared-config", "@workspace/handoff"],
    ["a tool is reached by its path", "libs/handoff", "../../../tools/local-aws/src/service.ts"],
  ])("%s", async (_case, project, specifier) => {
    const result = await compileWith(
      project,
      `import * as planted from "${specifier}";\nexport { planted };\n`,
    );
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout).toMatch(/error TS(2307|6059|6307)/);
  });

  it("but one that the rooms allow does", async () => {
    const source = `import { parseStage } from "@workspace/shared-config";\nexport const stage = parseStage("dev");\n`;
    const result = await compileWith("libs/handoff", source);
    expect(result.stdout).not.toContain("planted.ts");
  });
});

describe("lint fails on a planted fault", () => {
  it.each([
    ["formatting", "export   const planted = 1\n", /planted\.ts/],
    [
      "a lint rule",
      "export function planted(value: string | null): string {\n  return value!;\n}\n",
      /noNonNullAssertion/,
    ],
    [
      "a module boundary",
      'import * as planted from "@workspace/handoff";\n\nexport { planted };\n',
      /TS6059|TS6307|out of sync/,
    ],
  ])("%s", async (_fault, source, says) => {
    const planted = "libs/stage-run/src/planted.ts";
    scratch.write(planted, source);
    const env = { NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "false", FORCE_COLOR: "0" };
    const run = await execa("node_modules/.bin/nx", ["run", "stage-run:lint"], {
      cwd: scratch.directory,
      env,
      reject: false,
      all: true,
    });
    rmSync(join(scratch.directory, planted));
    expect(run.exitCode).not.toBe(0);
    expect(run.all).toMatch(says);
  });
});
