import { join } from "node:path";
import {
  createScratchWorkspace,
  createWorld,
  openStageSession,
  type ScratchWorkspace,
  type StageSession,
  type World,
} from "@workspace/e2e";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GitHubFixture, openGitHubFixture } from "../testing/github-fixture.ts";
import { playJob } from "../testing/play-job.ts";

const deploy = "npx nx run infra:deploy";
const release = 'npx nx run-many -t release --projects="$FUNCTIONS"';

let scratch: ScratchWorkspace;
let session: StageSession;
let github: GitHubFixture;
let world: World;
beforeAll(async () => {
  scratch = createScratchWorkspace();
  session = await openStageSession(scratch.directory, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
  });
  github = await openGitHubFixture();
  world = createWorld(scratch, session.environment, "lambda-app");
}, 300_000);
afterAll(async () => {
  await github?.close();
  await session?.close();
  scratch?.remove();
});

const succeeded: { head_sha: string; run_number: number }[] = [];
const head = () => execaSync("git", ["rev-parse", "HEAD"], { cwd: scratch.directory }).stdout;

/**
 * What main.yml does on its stage for the commit that is checked out. A run that gets to its end counts as a
 * success, the next run's base.
 *
 * @returns the Nx commands that it ran
 */
async function runMain(stopBefore?: string): Promise<string[]> {
  github.answers = {
    "GET /repos/acme/shop/actions/workflows/main.yml/runs": () => ({ body: { workflow_runs: succeeded } }),
  };
  const ran = await playJob({
    workflow: join(scratch.directory, ".github/workflows/main.yml"),
    job: "dev",
    directory: scratch.directory,
    environment: {
      ...session.environment,
      GITHUB_API_URL: github.apiUrl,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_REF_NAME: "main",
    },
    ...(stopBefore !== undefined && { stopBefore }),
  });
  if (stopBefore === undefined) succeeded.push({ head_sha: head(), run_number: succeeded.length + 1 });
  return ran.filter((command) => command.startsWith("npx nx"));
}

let memoryMiB = 512;
const editInfra = () =>
  scratch.edit(
    "apps/infra/src/function-settings.ts",
    `memoryMiB: ${memoryMiB}`,
    `memoryMiB: ${++memoryMiB}`,
    "feat: memory",
  );
let greeting = "Hello from Lambda";
const editApp = () => {
  const before = greeting;
  greeting = `${greeting}!`;
  return scratch.edit("apps/lambda-app/src/handler.ts", `"${before}"`, `"${greeting}"`, "feat: greeting");
};
const editDocs = () => {
  scratch.write("docs/planted.md", crypto.randomUUID());
  return scratch.commit("docs: planted");
};

/** What runs, seen from outside: the code that answers, the tag that is published, the memory. */
async function observe() {
  const { body } = await world.get("/");
  const live = await world.readLive();
  return {
    message: JSON.parse(body).message,
    tag: await world.readPublishedTag(),
    memoryMiB: live.memoryMiB,
  };
}
const tagOf = (commit: string) => commit.slice(0, 12);

describe("main.yml, played on the local stage", { timeout: 600_000 }, () => {
  it("the first push ever: deploys, then releases", async () => {
    expect(await runMain()).toEqual([deploy, release]);
    expect(await observe()).toEqual({ message: "Hello from Lambda", tag: tagOf(head()), memoryMiB: 512 });
  });

  it("infra only: deploys, and the code stays", async () => {
    const before = await observe();
    editInfra();
    expect(await runMain()).toEqual([deploy]);
    expect(await observe()).toEqual({ ...before, memoryMiB });
  });

  it("app only: releases, and the configuration stays", async () => {
    const before = await observe();
    const commit = editApp();
    expect(await runMain()).toEqual([release]);
    expect(await observe()).toEqual({ ...before, message: greeting, tag: tagOf(commit) });
  });

  it("both in one push: deploys, then releases", async () => {
    editInfra();
    const commit = editApp();
    expect(await runMain()).toEqual([deploy, release]);
    expect(await observe()).toEqual({ message: greeting, tag: tagOf(commit), memoryMiB });
  });

  it("neither: nothing runs, nothing moves", async () => {
    const before = await observe();
    editDocs();
    expect(await runMain()).toEqual([]);
    expect(await observe()).toEqual(before);
  });

  it("a re-run of a run that died half way does what was left", async () => {
    const before = await observe();
    editInfra();
    const commit = editApp();
    expect(await runMain("release")).toEqual([deploy]);
    expect(await observe()).toEqual({ ...before, memoryMiB });
    expect(await runMain()).toEqual([deploy, release]);
    expect(await observe()).toEqual({ message: greeting, tag: tagOf(commit), memoryMiB });
  });

  it("what a dead run left undone is done by the next push, whatever that changes", async () => {
    editApp();
    expect(await runMain("release")).toEqual([]);
    const commit = editDocs();
    expect(await runMain()).toEqual([release]);
    expect(await observe()).toMatchObject({ message: greeting, tag: tagOf(commit) });
  });
});
