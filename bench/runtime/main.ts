import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type App, apps, buildCandidates, type Candidate } from "./candidates.ts";
import { measureImage } from "./image-size.ts";
import {
  type CycleFigures,
  lowerQuartile,
  measureCycles,
  measureStart,
  type PayloadName,
  payloads,
  type StartFigures,
} from "./measure.ts";
import { buildRatios, buildReport, type Figures } from "./report.ts";

const usage = `Usage: npm run bench:runtime -- [--rounds N] [--json FILE]

Compares the engine with what else one would run a function on. Prints a table, and with --json writes all figures.
Needs a C and C++ compiler, make and cmake: AWS's client for Node.js is built when it is installed.`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "11" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

/** Every candidate once in each round, so that whatever else the machine does hits all alike. */
async function measure(
  runtimeApi: string,
  candidates: readonly Candidate[],
  rounds: number,
): Promise<Pick<Figures, "starts" | "cycles">> {
  const starts = new Map<string, StartFigures[]>();
  const cycles = new Map<string, Record<PayloadName, CycleFigures>[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const candidate of candidates) {
      process.stderr.write(`round ${round} of ${rounds}: ${candidate.name}\n`);
      for (const app of candidate.apps ?? apps) {
        // Three times: a start is short, and few of them are restless.
        for (let n = 0; n < 3; n += 1)
          push(starts, `${candidate.name}|${app}`, await measureStart(runtimeApi, candidate, app));
      }
      push(cycles, candidate.name, await measureCycles(runtimeApi, candidate));
    }
  }
  const startsOf = (name: string, app: App) => {
    const all = starts.get(`${name}|${app}`);
    if (all === undefined) return {};
    const merge = (figure: keyof StartFigures) => lowerQuartile(all.map((start) => start[figure]));
    return { [app]: { initMs: merge("initMs"), firstMs: merge("firstMs") } };
  };
  const names = candidates.map(({ name }) => name);
  return {
    starts: Object.fromEntries(
      names.map((name) => [name, { ...startsOf(name, "echo"), ...startsOf(name, "deps") }]),
    ),
    cycles: Object.fromEntries(names.map((name) => [name, mergeRounds(cycles.get(name) ?? [])])),
  };
}

function mergeRounds(
  rounds: readonly Record<PayloadName, CycleFigures>[],
): Record<PayloadName, CycleFigures> {
  const merge = (name: PayloadName, figure: keyof CycleFigures) =>
    lowerQuartile(rounds.map((round) => round[name][figure]));
  const entries = payloads.map(({ name }) => [
    name,
    { p50Us: merge(name, "p50Us"), p99Us: merge(name, "p99Us"), cpuUs: merge(name, "cpuUs") },
  ]);
  return Object.fromEntries(entries);
}

function push<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [value]);
  else list.push(value);
}

/** What is compared with is installed on first use. */
function installOthers(): void {
  const bench = join(import.meta.dirname, "..");
  if (existsSync(join(bench, "node_modules/.package-lock.json"))) return;
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", bench], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`npm ci in ${bench} ended with ${status}`);
}

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  installOthers();
  const { candidates, runtimeApi } = await buildCandidates();
  const [cpu] = cpus();
  const figures: Figures = {
    date: new Date().toISOString(),
    machine: { cpu: cpu?.model ?? "unknown", cores: cpus().length, kernel: release() },
    bun: Bun.version,
    rounds,
    ...(await measure(runtimeApi, candidates, rounds)),
    bytes: measureImage(join(import.meta.dirname, "../dist/runtime/deps/image")),
  };
  console.log(buildReport(figures));
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ ...figures, ratios: buildRatios(figures) }, null, 2)}\n`);
  }
}

await main();
