import { parseArgs } from "node:util";
import { parseAmount, parseCount } from "../parse-amount.ts";
import { checkSequences } from "./check-sequences.ts";
import { protocol } from "./model-command.ts";
import { loadMutant, mutants } from "./mutants.ts";

const usage = `Usage: main.ts [--sequences N] [--seed N [--path PATH]] [--mutate NAME]
NAME is one of ${mutants.map(({ name }) => name).join(", ")}`;

const { values } = parseArgs({
  options: {
    sequences: { type: "string", default: "2500" },
    seed: { type: "string" },
    path: { type: "string" },
    mutate: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
} else {
  const { sequences, seed, counterexample } = await checkSequences({
    handoff: values.mutate === undefined ? protocol : await loadMutant(values.mutate),
    count: parseCount("--sequences", values.sequences),
    seed: values.seed === undefined ? undefined : parseSeed(values.seed),
    path: values.path,
  });
  if (counterexample !== undefined) {
    console.log(JSON.stringify(counterexample.sequence, undefined, 1));
    console.log(counterexample.violations.join("\n"));
    console.log(`again: --seed=${seed} --path ${counterexample.path}`);
  }
  console.log(`seed ${seed}`);
  console.log(`${sequences} sequences, ${counterexample === undefined ? 0 : 1} violations`);
  process.exitCode = counterexample === undefined ? 0 : 1;
}

function parseSeed(text: string): number {
  return parseAmount({ option: "--seed", text, allowed: "a whole number", isValid: Number.isSafeInteger });
}
