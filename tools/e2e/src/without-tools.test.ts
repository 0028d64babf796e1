import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatherStages } from "./sample-state.ts";
import { createScratchWorkspace, type ScratchWorkspace, workspaceRoot } from "./scratch-workspace.ts";
import { openStageSession, type StageSession } from "./stage-session.ts";
import { createWorld } from "./story/world.ts";

let scratch: ScratchWorkspace;
let emulator: StageSession;
beforeAll(async () => {
  scratch = createScratchWorkspace();
  // The endpoint stands outside of the workspace under test, which has neither it nor the container CLI.
  emulator = await openStageSession(workspaceRoot, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
    LOCAL_AWS_STATE: join(scratch.directory, ".local-aws"),
  });
  rmSync(join(scratch.directory, "tools"), { recursive: true });
  gatherStages(scratch.directory);
  scratch.commit("chore: without tools");
});
afterAll(async () => {
  await emulator?.close();
  scratch?.remove();
});

it("deploys and releases on another stage, endpoint and container CLI", { timeout: 300_000 }, async () => {
  const environment = {
    ...emulator.environment,
    PATH: `${join(scratch.directory, "node_modules/.bin")}:${process.env.PATH}`,
    STAGE: "dev",
    CDK_DOCKER: join(workspaceRoot, "tools/oci-build/bin/oci-build"),
    BASE_IMAGE: "scratch",
    NX_DAEMON: "false",
  };
  const run = (target: string) =>
    execa("npx", ["nx", "run", target], { cwd: scratch.directory, env: environment, extendEnv: false });

  await run("infra:bootstrap");
  await run("infra:deploy");
  const world = createWorld(scratch, environment, "lambda-app");
  const initial = await world.readLive();
  expect(await world.readPublishedTag()).toBeUndefined();

  await run("lambda-app:release");
  const released = await world.readLive();
  expect(released.digest).not.toBe(initial.digest);
  expect(await world.readPublishedTag()).toMatch(/^[0-9a-f]{12}$/);

  await run("infra:deploy");
  expect((await world.readLive()).digest).toBe(released.digest);
});
