import { readFileSync } from "node:fs";
import type { App, Candidate } from "./candidates.ts";
import { RuntimeApi } from "./runtime-api.ts";

/** How many invocations of each size go before what is measured, and how many are measured. */
export const payloads = [
  { name: "128 B", bytes: 128, warmUp: 1_000, count: 3_000 },
  { name: "64 KiB", bytes: 64 * 1024, warmUp: 50, count: 300 },
  // The most that Lambda takes is 6 MB with everything around it.
  { name: "6 MB", bytes: 6_000_000, warmUp: 2, count: 10 },
] as const;

export type PayloadName = (typeof payloads)[number]["name"];

export interface CycleFigures {
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of the process, for each invocation: from the kernel's clock ticks of 10 ms, so good only over many. */
  readonly cpuUs: number;
}

/** Starts a candidate once. @returns milliseconds from spawn to its first request for work */
export async function measureInit(candidate: Candidate, app: App): Promise<number> {
  const { initMs, stop } = await start(candidate, app);
  await stop();
  return initMs;
}

/** Starts a candidate and lets it answer events of each size. */
export async function measureCycles(candidate: Candidate): Promise<Record<PayloadName, CycleFigures>> {
  const { api, pid, ended, stop } = await start(candidate, "echo");
  const figures: Partial<Record<PayloadName, CycleFigures>> = {};
  try {
    for (const { name, bytes, warmUp, count } of payloads) {
      const event = Buffer.from(JSON.stringify({ data: "x".repeat(bytes - '{"data":""}'.length) }));
      await Promise.race([api.cycles(event, warmUp), ended]);
      const cpuBefore = readCpuUs(pid);
      const times = (await Promise.race([api.cycles(event, count), ended])).sort();
      const cpuUs = (readCpuUs(pid) - cpuBefore) / count;
      figures[name] = { p50Us: percentile(times, 50), p99Us: percentile(times, 99), cpuUs };
    }
  } finally {
    await stop();
  }
  return figures as Record<PayloadName, CycleFigures>;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 50);
}

function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

async function start(candidate: Candidate, app: App) {
  const { argv, taskRoot } = candidate.start(app);
  const api = new RuntimeApi();
  const asked = api.next();
  const startNs = Bun.nanoseconds();
  const child = Bun.spawn([...argv], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    env: {
      AWS_LAMBDA_RUNTIME_API: api.address,
      LAMBDA_TASK_ROOT: taskRoot,
      _HANDLER: "app.handler",
      AWS_REGION: "eu-central-1",
      AWS_LAMBDA_FUNCTION_NAME: "bench",
      AWS_LAMBDA_FUNCTION_VERSION: "1",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/bench",
      AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/25/[1]bench",
      PATH: process.env.PATH ?? "",
    },
  });
  const ended = child.exited.then((code) => {
    throw new Error(`${candidate.name} with ${app} ended with ${code}`);
  });
  await Promise.race([asked, ended]);
  const initMs = (Bun.nanoseconds() - startNs) / 1e6;
  ended.catch(() => {});
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
    api.stop();
  };
  return { api, initMs, pid: child.pid, ended, stop };
}

/** User and system time so far, in microseconds. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function readCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}
