import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stages } from "@workspace/shared-config";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitHubFixture, openGitHubFixture } from "./testing/github-fixture.ts";

const commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
const runsPath = "GET /repos/acme/shop/actions/workflows/main.yml/runs";

let github: GitHubFixture;
beforeAll(async () => {
  github = await openGitHubFixture();
});
afterAll(() => github.close());

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "workspace-ci-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function workspaceCi(argv: readonly string[], environment: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa(join(import.meta.dirname, "../bin/workspace-ci"), argv, {
    extendEnv: false,
    reject: false,
    env: {
      PATH: process.env.PATH,
      GITHUB_API_URL: github.apiUrl,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_REF_NAME: "main",
      GITHUB_TOKEN: "t0ken",
      GITHUB_OUTPUT: join(directory, "output"),
      ...environment,
    },
  });
  return { exitCode, stdout, stderr };
}
const readOutput = () => readFileSync(join(directory, "output"), "utf8");

describe("workspace-ci", () => {
  it("stage: what the stage table has, for the steps that need its region", async () => {
    const { stdout } = await workspaceCi(["stage"], { STAGE: "prod" });
    const { region } = stages.prod;
    expect(JSON.parse(stdout)).toEqual({ name: "prod", region });
    expect(readOutput()).toBe(`name=prod\nregion=${region}\n`);
  });

  it.each([
    [{}, "E_VARIABLE_MISSING"],
    [{ STAGE: "nowhere" }, "E_STAGE_UNKNOWN"],
    [{ STAGE: "prod", GITHUB_OUTPUT: "/no/such/folder/output" }, "E_HAND_OVER_FAILED"],
  ])("stage: %j fails with %s", async (environment, code) => {
    const result = await workspaceCi(["stage"], environment);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(`^${code}`) });
  });

  it("last-success: gives the commit, and approves it while nothing newer has succeeded", async () => {
    const runs = [{ head_sha: commit, run_number: 3 }];
    github.answers = { [runsPath]: () => ({ body: { workflow_runs: runs } }) };
    expect(await workspaceCi(["last-success"])).toMatchObject({ exitCode: 0, stdout: commit });
    expect(readOutput()).toBe(`commit=${commit}\n`);
    expect(await workspaceCi(["last-success", "--still", commit])).toMatchObject({ exitCode: 0 });

    runs.unshift({ head_sha: "newer", run_number: 4 });
    const overtaken = await workspaceCi(["last-success", "--still", commit]);
    expect(overtaken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("E_OVERTAKEN") });
  });

  it("last-success: nothing to promote is a failure", async () => {
    github.answers = { [runsPath]: () => ({ body: { workflow_runs: [] } }) };
    const result = await workspaceCi(["last-success"]);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("E_NOTHING_SUCCEEDED") });
  });

  it.each([
    [["--head", "no-such-commit"], {}],
    [[], { GITHUB_BASE_REF: "no-such-branch" }],
  ])("decide %j: a commit that git doesn't know is a failure, with what to do", async (argv, environment) => {
    const result = await workspaceCi(["decide", ...argv], environment);
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(/E_COMMIT_UNKNOWN.*no-such.*git fetch/s);
  });

  it("comment: writes a file's text under a pull request", async () => {
    const comments = "/repos/acme/shop/issues/7/comments";
    github.answers = {
      [`GET ${comments}`]: () => ({ body: [] }),
      [`POST ${comments}`]: () => ({ status: 201, body: {} }),
    };
    github.requests.length = 0;
    writeFileSync(join(directory, "diff"), "[~] memory\n");
    const argv = [
      "--pull-request",
      "7",
      "--name",
      "infra-diff",
      "--title",
      "Changes",
      join(directory, "diff"),
    ];
    expect(await workspaceCi(["comment", ...argv])).toMatchObject({ exitCode: 0 });
    const body = "<!-- workspace-ci: infra-diff -->\n### Changes\n\n```\n[~] memory\n```\n";
    expect(github.requests.at(-1)).toMatchObject({ method: "POST", body: { body } });
  });
});
