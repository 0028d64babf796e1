import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { createScratchWorkspace, openStageSession } from "@workspace/e2e";
import type { Bench } from "./bench.ts";
import { startDockerEngine } from "./docker-engine.ts";
import { runEditToLive } from "./edit-to-live.ts";
import { runNothingToDo } from "./nothing-to-do.ts";
import { runSynth } from "./synth.ts";

const { values } = parseArgs({
  options: { json: { type: "string" }, rounds: { type: "string", default: "5" } },
});

const scratch = createScratchWorkspace();
const engine = await startDockerEngine();
const session = await openStageSession(scratch.directory, {
  PATH: process.env.PATH ?? "",
  HOME: process.env.HOME ?? "",
});
try {
  const bench: Bench = { scratch, environment: session.environment, rounds: Number(values.rounds) };
  const nothing = await runNothingToDo(bench);
  const edit = await runEditToLive(bench, engine);
  const synth = await runSynth(bench);
  const seconds = { ...nothing, ...edit.seconds, ...synth.seconds };
  const ratios = { ...edit.ratios, ...synth.ratios, noopReleaseSeconds: nothing.noopRelease };
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
  };
  console.table(
    Object.fromEntries(
      Object.entries(seconds).map(([name, value]) => [name, { seconds: Number(value?.toFixed(2)) }]),
    ),
  );
  console.table(
    Object.fromEntries(
      Object.entries(ratios).map(([name, value]) => [
        name,
        { ratio: value === null ? "skipped" : Number(value.toFixed(2)) },
      ]),
    ),
  );
  for (const reason of edit.skipped) console.log(`skipped: ${reason}`);
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ machine, ratios, seconds, skipped: edit.skipped }, undefined, 2)}\n`,
    );
} finally {
  await session.close();
  if (typeof engine !== "string") await engine.stop();
  scratch.remove();
}
