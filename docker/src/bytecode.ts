import { spawn } from "node:child_process";
import { access, cp, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledEngine } from "@workspace/lambda-runtime/compile";
import { type Architecture, CodedError, parseHostArchitecture } from "@workspace/shared-config";

/** What JavaScriptCore says, with `BUN_JSC_verboseDiskCache`, for each piece of bytecode that it uses. */
const hit = /\[Disk Cache\] Cache hit/g;

/** How long an app may take to get ready here; bytecode has been used or ignored long before. */
const startTimeoutMs = 30_000;

/**
 * Whether the engine uses the app's bytecode. One that is stale, cut short or of another Bun is ignored without a word,
 * and the app starts half as fast; so the engine is started with and without it, and must use more of it with.
 *
 * The app's top-level code runs: without credentials, and with nothing of this process's environment.
 *
 * @param appDir has `app.js`, `app.js.jsc`, and the other files of the bundle
 * @returns `unknown` where this machine can't run an engine of that architecture
 * @throws CodedError `E_BYTECODE_UNUSED`
 */
export async function checkBytecode(engine: CompiledEngine, appDir: string): Promise<"used" | "unknown"> {
  if (!(await canRun(engine.architecture))) return "unknown";
  const bare = await mkdtemp(join(tmpdir(), "app-without-bytecode-"));
  try {
    await cp(appDir, bare, { recursive: true, filter: (path) => !path.endsWith("/app.js.jsc") });
    const [withIt, without] = await Promise.all([
      countHits(engine.path, appDir),
      countHits(engine.path, bare),
    ]);
    if (withIt > without) return "used";
    throw new CodedError({
      code: "E_BYTECODE_UNUSED",
      what: `the engine does not use the app's bytecode: it read ${without} pieces without it`,
      value: withIt,
      remedy: "Bundle with the Bun that the engine is compiled with: run `npm ci`, and build again.",
    });
  } finally {
    await rm(bare, { recursive: true });
  }
}

/** Its own architecture, and another one for which an emulator is registered with the kernel. */
async function canRun(architecture: Architecture): Promise<boolean> {
  if (process.platform !== "linux") return false;
  if (architecture === parseHostArchitecture(process.arch)) return true;
  const machine = architecture === "arm64" ? "aarch64" : "x86_64";
  try {
    await access(`/proc/sys/fs/binfmt_misc/qemu-${machine}`);
    return true;
  } catch (error) {
    // None, or one that nothing here may know of.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (["ENOENT", "ELOOP", "EACCES", "EPERM"].includes(String(code))) return false;
    throw error;
  }
}

/** Starts the engine on an app and counts until it asks for work or ends. */
async function countHits(enginePath: string, appDir: string): Promise<number> {
  const server = createServer();
  const address = await listen(server);
  let timeout: NodeJS.Timeout | undefined;
  try {
    const engine = spawn(enginePath, [], {
      cwd: appDir,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        AWS_LAMBDA_RUNTIME_API: address,
        LAMBDA_TASK_ROOT: appDir,
        _HANDLER: "app.handler",
        BUN_JSC_verboseDiskCache: "1",
      },
    });
    let output = "";
    for (const stream of [engine.stdout, engine.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    server.once("connection", (socket) =>
      socket.once("data", () => engine.kill("SIGKILL")).on("error", () => {}),
    );
    timeout = setTimeout(() => engine.kill("SIGKILL"), startTimeoutMs);
    await new Promise((resolve, reject) => engine.once("close", resolve).once("error", reject));
    return output.match(hit)?.length ?? 0;
  } finally {
    clearTimeout(timeout);
    server.close();
  }
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "");
    });
  });
}
