import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseHostArchitecture } from "@workspace/shared-config";
import { bunPath } from "../compile/bun-executable.ts";
import { compileEngine, engineEnvironment } from "../compile/compile-engine.ts";
import { RuntimeApiServer } from "./runtime-api-server.ts";

const run = promisify(execFile);

export interface EngineOptions {
  /** Of the process, beside what Lambda sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Written beside the app, which is also where the engine is started. */
  readonly files?: Readonly<Record<string, string>>;
  /** @default "app.handler" */
  readonly handler?: string;
}

/** A compiled engine that runs an app against a Runtime API of its own. */
export interface RunningEngine {
  readonly api: RuntimeApiServer;
  readonly process: ChildProcess;
  readonly taskRoot: string;
  /** What it has written so far; what it writes about an invocation may come after the invocation's outcome. */
  readonly output: () => string;
  /** Resolves when it has written what matches. */
  readonly wrote: (pattern: RegExp) => Promise<void>;
  /** Resolves when it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stop(): Promise<void>;
}

/**
 * Bundles the source of an app as `docker` does, and starts the engine on it.
 * @param source TypeScript; it can import from `lambda-runtime`
 */
export async function startEngine(source: string, options: EngineOptions = {}): Promise<RunningEngine> {
  const taskRoot = await mkdtemp(join(tmpdir(), "engine-test-"));
  const entry = join(taskRoot, "handler.ts");
  const library = join(import.meta.dirname, "../index.ts");
  await writeFile(entry, source.replaceAll('"lambda-runtime"', JSON.stringify(library)));
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(taskRoot, name), content);
  const flags = ["--target=bun", "--format=cjs", "--bytecode", "--entry-naming=app.js"];
  await run(bunPath, ["build", entry, ...flags, `--outdir=${taskRoot}`]);
  const engine = await compileEngine(parseHostArchitecture(process.arch));
  const api = new RuntimeApiServer();
  await api.start();
  const child = spawn(engine.path, [], {
    cwd: taskRoot,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      AWS_LAMBDA_RUNTIME_API: api.address,
      LAMBDA_TASK_ROOT: taskRoot,
      _HANDLER: options.handler ?? "app.handler",
      AWS_LAMBDA_FUNCTION_NAME: "probe",
      AWS_LAMBDA_FUNCTION_VERSION: "7",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
      AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/probe",
      AWS_LAMBDA_LOG_STREAM_NAME: "2026/11/25/[7]abc",
      ...engineEnvironment,
      ...options.environment,
    },
  });
  let output = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of [...watchers]) look();
    });
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return {
    api,
    process: child,
    taskRoot,
    output: () => output,
    wrote: (pattern) =>
      new Promise((resolve) => {
        const look = () => {
          if (!pattern.test(output)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    exited,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      await api.stop();
      await rm(taskRoot, { recursive: true });
    },
  };
}
