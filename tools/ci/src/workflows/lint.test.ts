import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const github = join(import.meta.dirname, "../../../../.github");
const launcher = join(import.meta.dirname, "../../bin/workspace-ci");

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "workflows-"));
  cpSync(github, directory, { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lint = (folder = directory) => spawnSync(launcher, ["lint-workflows", folder], { encoding: "utf8" });

/** Plants a fault in a copy of a real workflow. */
function plant(file: string, from: string | RegExp, to: string): void {
  const path = join(directory, file);
  const before = readFileSync(path, "utf8");
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
}

describe("lint-workflows", () => {
  it("finds nothing in the workspace's own", () => {
    expect(lint()).toMatchObject({ status: 0, stderr: "" });
  });

  it.each([
    {
      fault: "a misspelt key",
      file: "workflows/main.yml",
      from: "branches:",
      to: "branchs:",
      finding: 'unexpected key "branchs"',
    },
    {
      fault: "an output that no step has",
      file: "workflows/main.yml",
      from: /steps\.decide\.outputs/,
      to: "steps.decides.outputs",
      finding: 'property "decides" is not defined',
    },
    {
      fault: "a tag in place of a commit",
      file: "workflows/main.yml",
      from: /(actions\/checkout)@[0-9a-f]{40}/,
      to: "$1@v7",
      finding: "actions/checkout@v7 is not pinned to a commit",
    },
    {
      fault: "the beginning of a commit, which may be that of another one too",
      file: "workflows/main.yml",
      from: /(actions\/checkout@[0-9a-f]{7})[0-9a-f]{33}/,
      to: "$1",
      finding: "is not pinned to a commit",
    },
    {
      fault: "a tag in a composite action",
      file: "actions/set-up/action.yml",
      from: /(actions\/setup-node)@[0-9a-f]{40}/,
      to: "$1@v7",
      finding: "actions/setup-node@v7 is not pinned to a commit",
    },
    {
      fault: "a commit without its version",
      file: "workflows/promote.yml",
      from: /(actions\/checkout@[0-9a-f]{40}) # v[\d.]+/,
      to: "$1",
      finding: "does not say its version",
    },
    {
      fault: "broken YAML in a composite action",
      file: "actions/set-up/action.yml",
      from: "runs:",
      to: "runs: [",
      finding: "Flow sequence",
    },
  ])("fails on $fault", ({ file, from, to, finding }) => {
    plant(file, from, to);
    const result = lint();
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(`${join(directory, file)}:`);
    expect(result.stderr).toContain(finding);
  });

  it("fails where there is nothing to check", () => {
    rmSync(join(directory, "workflows"), { recursive: true });
    mkdirSync(join(directory, "workflows"));
    expect(lint()).toMatchObject({ status: 1, stderr: expect.stringContaining("E_NO_WORKFLOWS") });
  });

  it.each(["none", "workflows/main.yml"])("fails where %s is to be the folder", (name) => {
    expect(lint(join(directory, name))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/E_NO_WORKFLOWS: .*\.github/),
    });
  });
});
