import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { workspaceRoot } from "./scratch-workspace.ts";

/** Projects that `nx affected -t test` would run for a change of one file. */
async function findAffected(file: string): Promise<string[]> {
  const { stdout } = await execa(
    "node_modules/.bin/nx",
    ["show", "projects", "--affected", "--withTarget=test", `--files=${file}`, "--json"],
    { cwd: workspaceRoot, env: { NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "false" } },
  );
  return JSON.parse(stdout).sort();
}

const appSide = ["image-release", "lambda-app"];

describe("nx affected goes by what a file is part of", () => {
  it.each([
    {
      file: "apps/lambda-app/src/handler.ts",
      affects: ["lambda-app"],
      not: ["infra", "shared-config", "docker"],
    },
    { file: "apps/infra/src/function-stack.ts", affects: ["infra"], not: ["lambda-app", "image-release"] },
    {
      file: "libs/shared-config/src/stages.ts",
      affects: ["shared-config", "handoff", "infra", ...appSide],
      not: [],
    },
    { file: "docker/initial/Dockerfile", affects: ["docker", "infra", ...appSide], not: ["shared-config"] },
    { file: "README.md", affects: [], not: ["lambda-app", "infra"] },
  ])("$file", async ({ file, affects, not }) => {
    const affected = await findAffected(file);
    expect(affected).toEqual(expect.arrayContaining(affects));
    for (const project of not) expect(affected).not.toContain(project);
  });
});
