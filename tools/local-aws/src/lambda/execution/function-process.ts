import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { ProcessSpec } from "./process-spec.ts";

export interface FunctionProcess {
  readonly pid: number | undefined;
  /** `exit status 1`, `signal: killed`, or how it could not be started; empty for an exit with 0. */
  readonly ended: Promise<ProcessEnd>;
  /** The most memory that it has had, where it still runs. */
  readMaxMemoryMiB(): number | undefined;
  /** SIGTERM, and SIGKILL where that is not enough. Waits until it has ended. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

export interface ProcessEnd {
  readonly kind: "not started" | "ended";
  readonly text: string;
}

/** How long a process may take to end by itself. @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown */
const graceMs = 500;

/** Starts a process with nothing of this one's environment. It leads a group, so that its own children end with it. */
export function startProcess(
  { file, argv, cwd, environment, obstacle }: ProcessSpec,
  onLine: (line: string) => void,
): FunctionProcess {
  if (obstacle !== undefined) return notStarted(obstacle);
  let child: ChildProcess;
  try {
    child = spawn(file, argv, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
  } catch (error) {
    // Bun throws what Node emits.
    return notStarted(describeSpawnError(file, error));
  }
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", onLine);
  }
  let running = true;
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.on("error", (error) => resolve({ kind: "not started", text: describeSpawnError(file, error) }));
    child.on("exit", (code, signal) => resolve({ kind: "ended", text: describeExit(code, signal) }));
  }).finally(() => {
    running = false;
  });
  const signal = (name: NodeJS.Signals) => {
    if (running && child.pid !== undefined) signalGroup(child.pid, name);
  };
  return {
    pid: child.pid,
    ended,
    readMaxMemoryMiB: () => (running && child.pid !== undefined ? readMaxMemoryMiB(child.pid) : undefined),
    async stop() {
      signal("SIGTERM");
      const force = setTimeout(() => signal("SIGKILL"), graceMs);
      await ended;
      clearTimeout(force);
    },
    kill: () => signal("SIGKILL"),
  };
}

function notStarted(text: string): FunctionProcess {
  return {
    pid: undefined,
    ended: Promise.resolve({ kind: "not started", text }),
    readMaxMemoryMiB: () => undefined,
    stop: async () => {},
    kill: () => {},
  };
}

const spawnErrors: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOEXEC: "exec format error",
};

function describeSpawnError(file: string, error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return `fork/exec ${file}: ${spawnErrors[code] ?? message}`;
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") return "signal: killed";
  if (signal !== null) return `signal: ${signal}`;
  return code === 0 ? "" : `exit status ${code}`;
}

/** The group, or its leader where the group is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
function readMaxMemoryMiB(pid: number): number | undefined {
  const kiB = /^VmHWM:\s+(\d+) kB$/m.exec(readProcFile(pid, "status") ?? "")?.[1];
  return kiB === undefined ? undefined : Math.ceil(Number(kiB) / 1024);
}

/** A file of `/proc` about a process; undefined where the process is gone. */
export function readProcFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
