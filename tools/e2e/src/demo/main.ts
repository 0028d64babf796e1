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
  const session = await openStageSession(scratch.directory, pickEnvironment(process.env));
  try {
    const world = createWorld(scratch, session.environment, project);
    await refuseReleased(world);
    await tellStory(world, createTerminalTeller(world, print));
    print(
      `\n${pc.green(`Told in ${((performance.now() - startedMs) / 1000).toFixed(0)} s.`)} ${whatStays(world)}`,
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
    remedy: `Tell it on another stage; or run \`nx run infra:destroy --function ${fn.project} --stage ${fn.stage.name}\`, and remove what that says is left.`,
  });
}

/** A local AWS of the demo's own ends with it; one that was there before does not. */
function whatStays({ fn }: World): string {
  const { name } = fn.stage;
  return name === "local" && process.env.AWS_ENDPOINT_URL === undefined
    ? "Nothing of it stays."
    : `It stays on ${name}: \`nx run infra:destroy --function ${fn.project} --stage ${name}\` removes the function, and says what is left.`;
}

const placeOfLocalAws = ["LOCAL_AWS_STATE", "LOCAL_AWS_PORT"];

/** All but where the caller's own local AWS is: the demo brings one along. */
function pickEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !placeOfLocalAws.includes(entry[0]),
    ),
  );
}

try {
  await demo();
} catch (error) {
  console.error(`\n${pc.red(error instanceof Error ? error.message : String(error))}`);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
