import fc from "fast-check";
import type { Protocol } from "./model-command.ts";
import { runSequence } from "./run-sequence.ts";
import { type Sequence, sequences } from "./sequence.ts";

export interface CheckProps {
  readonly handoff: Protocol;
  readonly count: number;
  /** @default undefined: another one each time */
  readonly seed?: number | undefined;
  /** Of a counterexample, within the seed. @default undefined: all of the seed's sequences */
  readonly path?: string | undefined;
}

export interface Checked {
  readonly sequences: number;
  readonly seed: number;
  /** The smallest sequence found that breaks a promise. */
  readonly counterexample:
    | { readonly sequence: Sequence; readonly path: string; readonly violations: readonly string[] }
    | undefined;
}

/** Runs random sequences until one breaks a promise, and makes that one as small as it gets. */
export async function checkSequences({ handoff, count, seed, path }: CheckProps): Promise<Checked> {
  const keepsPromises = fc.asyncProperty(sequences, async (sequence) => {
    const violations = await runSequence(sequence, handoff);
    if (violations.length > 0) throw new Error(violations.join("\n"));
  });
  const checked = await fc.check(keepsPromises, {
    numRuns: count,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  });
  const sequence = checked.counterexample?.[0];
  return {
    sequences: checked.numRuns,
    seed: checked.seed,
    counterexample:
      sequence === undefined
        ? undefined
        : {
            sequence,
            path: checked.counterexamplePath ?? "",
            violations: await runSequence(sequence, handoff),
          },
  };
}
