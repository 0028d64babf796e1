import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { checkSequences } from "./check-sequences.ts";
import { protocol } from "./model-command.ts";
import { mutants } from "./mutants.ts";
import { runSequence } from "./run-sequence.ts";
import type { Sequence } from "./sequence.ts";

const bun = join(import.meta.dirname, "../../../../node_modules/.bin/bun");
const main = join(import.meta.dirname, "main.ts");

it("keeps every promise in random sequences", async () => {
  const checked = await checkSequences({ handoff: protocol, count: 300, seed: 1 });
  expect(checked.counterexample).toBeUndefined();
  expect(checked.sequences).toBe(300);
});

it("does the same again for the same sequence", async () => {
  const release = { kind: "release", stage: "dev", content: 5, canary: true } as const;
  const sequence: Sequence = {
    before: [{ kind: "deploy", stage: "dev", memoryMiB: 256, fails: false }],
    commands: [
      { command: release, afterMs: 0 },
      { command: { ...release, content: 2 }, afterMs: 500 },
    ],
    disturbances: [{ operation: "UpdateAlias", nth: 0, kind: "pause", ms: 70_000 }],
    laggingShare: 0,
    tagDeletedAtMs: undefined,
    deathIsProvable: false,
    runsAgain: true,
    seed: 3,
  };
  const outcomes = await Promise.all([1, 2].map(() => traceSequence(sequence)));
  expect(outcomes[0]).toEqual(outcomes[1]);
  expect(outcomes[0]?.length).toBeGreaterThan(3);
});

/** Which steps the commands go through, in order. */
async function traceSequence(sequence: Sequence): Promise<string[]> {
  const steps: string[] = [];
  await runSequence(sequence, {
    ...protocol,
    releaseImage: (clients, fn, props) =>
      protocol.releaseImage(clients, fn, {
        ...props,
        onProgress: (progress) => steps.push(`${clients.clock.epochMs()} ${JSON.stringify(progress)}`),
      }),
  });
  return steps;
}

describe("without one safeguard a promise breaks", () => {
  it.each(mutants)("$name", { timeout: 300_000 }, async ({ name, seed = 1 }) => {
    const run = await execa(bun, [main, "--mutate", name, "--seed", String(seed), "--sequences", "5000"], {
      reject: false,
    });
    expect(run.stdout + run.stderr).toMatch(/P\d: .+\n(.*\n)*.+ sequences, 1 violations/);
    expect(run.exitCode).toBe(1);
  });
});
