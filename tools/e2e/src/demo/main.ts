import { CodedError, exitCodes } from "@workspace/shared-config";
import pc from "picocolors";
import { createScratchWorkspace } from "../scratch-workspace.ts";
import { openStageSession } from "../stage-session.ts";
import { tellStory } from "../story/story.ts";
import { createWorld, type World } from "../story/world.ts";
import { createTerminalTeller } from "./terminal-teller.ts";

const project = "lambda-app";

async function demo(): Promise<void> {
  const print = (line: string) => console.log(line);
  const scratch = createScratchWorkspace();
  process.on("exit", () => scratch.remove());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(exitCodes.failed));
  print(`The story is told in a copy of this workspace: ${scratch.directory}`);

  const startedMs = performance.now();
  const session = await openStageSession(scratch.directory, definedOnly(process.env));
  try {
    const world = createWorld(scratch, session.environment, project);
    await refuseReleased(world);
    await tellStory(world, createTerminalTeller(world, print));
    print(
      `\n${pc.green(`Told in ${((performance.now() - startedMs) / 1000).toFixed(0)} s.`)} ${whatStays(world.environment.STAGE)}`,
    );
  } finally {
    await session.close();
  }
}

/** The story begins before the first release; told anywhere else, it would deploy its copy over what is there. */
async function refuseReleased({ fn, readPublishedTag }: World): Promise<void> {
  const published = await readPublishedTag();
  if (published === undefined) return;
  throw new CodedError({
    code: "E_STAGE_RELEASED",
    what: `${fn.functionName} was released already, and the story begins before that`,
    value: published,
    remedy: `Tell it on another stage; or run \`nx run infra:destroy --stage ${fn.stage.name}\`, and remove what that says is left.`,
  });
}

function whatStays(stage: string | undefined): string {
  return stage === "local"
    ? "Nothing of it stays."
    : `It stays on ${stage}: \`nx run infra:destroy --stage ${stage}\` removes the functions, and says what is left.`;
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

try {
  await demo();
} catch (error) {
  console.error(`\n${pc.red(error instanceof Error ? error.message : String(error))}`);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
