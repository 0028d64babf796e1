import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { App, Candidate } from "./candidates.ts";

/**
 * How many invocations of each size go before what is measured, and how many are measured. After 10,000 of them no
 * candidate's compiler is at work any more.
 */
export const payloads = [
  { name: "128 B", bytes: 128, warmUp: 10_000, count: 5_000 },
  { name: "64 KiB", bytes: 64 * 1024, warmUp: 50, count: 300 },
  // The most that Lambda takes is 6 MB with everything around it.
  { name: "6 MB", bytes: 6_000_000, warmUp: 2, count: 10 },
] as const;

export type PayloadName = (typeof payloads)[number]["name"];

/** In microseconds, for each invocation. */
export interface CycleFigures {
  /** From the event's leaving to the next request for one. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time of the process. */
  readonly cpuUs: number;
}

/** In milliseconds. */
export interface StartFigures {
  /** From spawn to the first request for work. */
  readonly initMs: number;
  /** The first invocation, of a small event. */
  readonly firstMs: number;
}

/** What `runtime-api.c` prints. */
interface Measured {
  readonly initMs: number;
  readonly cycles: readonly CycleFigures[];
}

/** Starts a candidate once. */
export async function measureStart(
  runtimeApi: string,
  candidate: Candidate,
  app: App,
): Promise<StartFigures> {
  const { initMs, cycles } = await run(runtimeApi, candidate, app, "128:0:1");
  const [first] = cycles;
  if (first === undefined) throw new Error(`${candidate.name} has answered nothing`);
  return { initMs, firstMs: first.p50Us / 1000 };
}

/** Starts a candidate and lets it answer events of each size. */
export async function measureCycles(
  runtimeApi: string,
  candidate: Candidate,
): Promise<Record<PayloadName, CycleFigures>> {
  const wanted = payloads.map(({ bytes, warmUp, count }) => `${bytes}:${warmUp}:${count}`);
  const { cycles } = await run(runtimeApi, candidate, "echo", wanted.join(","));
  const figures = payloads.map(({ name }, index) => [name, cycles[index]]);
  return Object.fromEntries(figures);
}

/**
 * What a quarter of the values are below: whatever else runs on the host only ever adds time, for seconds on end, and a
 * median would mix the good seconds of one candidate with the bad ones of another.
 */
export function lowerQuartile(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? Number.NaN;
}

async function run(runtimeApi: string, candidate: Candidate, app: App, wanted: string): Promise<Measured> {
  const { argv, taskRoot } = candidate.start(app);
  const { stdout } = await promisify(execFile)(runtimeApi, [wanted, ...argv], {
    cwd: taskRoot,
    env: {
      LAMBDA_TASK_ROOT: taskRoot,
      _HANDLER: "app.handler",
      AWS_REGION: "eu-central-1",
      AWS_LAMBDA_FUNCTION_NAME: "bench",
      AWS_LAMBDA_FUNCTION_VERSION: "1",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/bench",
      AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/25/[1]bench",
      PATH: process.env.PATH ?? "",
      ...candidate.environment,
    },
  });
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{"initMs"')));
}
