import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { parseAmount, parseCount } from "../parse-amount.ts";
import { createFaultWorld } from "./fault-world.ts";
import { type MatrixProps, runMatrix, type Tried } from "./matrix.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/**
 * `--only NAME` (a scenario; may be repeated) and `--share 0.1` try a part of the matrix; `--workers 4` says how many
 * faults are tried at once, each in a workspace and with a server of its own.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    share: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
  },
});

const chosen = values.only === undefined ? scenarios : values.only.map(findScenario);
const share = parseAmount({
  option: "--share",
  text: values.share,
  allowed: "a number above 0 and at most 1",
  isValid: (amount) => amount > 0 && amount <= 1,
});
const workers = parseCount("--workers", values.workers);
const worlds = Array.from({ length: workers }, createFaultWorld);
process.on("exit", () => {
  for (const world of worlds) world.remove();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(exitCodes.failed));

const onTried = ({ scenario, at, kind, violations }: Tried) => {
  const verdict = violations.length === 0 ? "ok" : "VIOLATED";
  console.log(`${verdict}  ${scenario}: ${kind} at ${at.name}, ${at.occurrence + 1}`);
  for (const violation of violations) console.log(`    ${violation.replaceAll("\n", "\n    ")}`);
};
const onUnmet: MatrixProps["onUnmet"] = (scenario, { at, kind }) =>
  console.log(`not met  ${scenario}: ${kind} at ${at.name}, ${at.occurrence + 1}`);
const tried = await runMatrix(worlds, { scenarios: chosen, share, onTried, onUnmet });
const violations = tried.filter((cell) => cell.violations.length > 0).length;
console.log(`${tried.length} faults tried, ${violations} violations`);
process.exitCode = violations === 0 && tried.length > 0 ? exitCodes.done : exitCodes.failed;

function findScenario(name: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario !== undefined) return scenario;
  throw new CodedError({
    code: "E_SCENARIO_UNKNOWN",
    what: "there is no such scenario",
    value: name,
    remedy: `Choose one of: ${scenarios.map((known) => known.name).join(", ")}.`,
  });
}
