import { parseArgs } from "node:util";
import { exitCodes } from "@workspace/shared-config";
import { createFaultWorld } from "./fault-world.ts";
import { runMatrix, type Tried } from "./matrix.ts";
import { scenarios } from "./scenarios.ts";

/** `--only NAME` (a scenario; may be repeated) and `--share 0.1` try a part of the matrix. */
const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, share: { type: "string", default: "1" } },
});

const chosen = scenarios.filter(({ name }) => values.only === undefined || values.only.includes(name));
const world = createFaultWorld();
process.on("exit", () => world.remove());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(exitCodes.failed));

const onTried = ({ scenario, call, at, kind, violations }: Tried) => {
  console.log(`${violations.length === 0 ? "ok" : "VIOLATED"}  ${scenario}: ${kind} at ${at} (${call})`);
  for (const violation of violations) console.log(`    ${violation.replaceAll("\n", "\n    ")}`);
};
const tried = await runMatrix(world, { scenarios: chosen, share: Number(values.share), onTried });
const violations = tried.filter((cell) => cell.violations.length > 0).length;
console.log(`${tried.length} faults tried, ${violations} violations`);
process.exitCode = violations === 0 && tried.length > 0 ? exitCodes.done : exitCodes.failed;
