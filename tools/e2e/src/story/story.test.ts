import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createScratchWorkspace, type ScratchWorkspace } from "../scratch-workspace.ts";
import { openStageSession, type StageSession } from "../stage-session.ts";
import { tellStory } from "./story.ts";
import { createWorld } from "./world.ts";

let scratch: ScratchWorkspace;
let session: StageSession;
beforeAll(async () => {
  scratch = createScratchWorkspace();
  session = await openStageSession(scratch.directory, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
  });
});
afterAll(async () => {
  await session?.close();
  scratch?.remove();
});

it("the whole story holds, through the commands that a user types", { timeout: 600_000 }, async () => {
  const world = createWorld(scratch, session.environment, "lambda-app");
  const facts: string[] = [];
  await tellStory(world, {
    step: (title) => facts.push(title),
    async command(...argv) {
      const [file = "", ...rest] = argv;
      const { environment } = session;
      return (await execa(file, rest, { cwd: scratch.directory, env: environment, extendEnv: false })).stdout;
    },
    edit: scratch.edit,
    get: world.get,
    holds(fact, got, ok) {
      expect(ok, `${fact}: ${JSON.stringify(got)}\nafter: ${facts.join(", ")}`).toBe(true);
      facts.push(fact);
    },
  });
  expect(facts.length).toBeGreaterThan(20);
});
