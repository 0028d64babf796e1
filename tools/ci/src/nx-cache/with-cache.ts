import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { execa } from "execa";
import { createCacheServer, removeStale } from "./server.ts";

const staleAfterMs = 14 * 24 * 60 * 60 * 1000;

/**
 * Runs a command with Nx's remote cache on a folder, for as long as the command runs. Gives its exit code.
 * @throws CodedError `E_COMMAND_MISSING`
 */
export async function runWithCache(directory: string, command: readonly string[]): Promise<number> {
  const [file = "", ...argv] = command;
  if (file === "") throw notStarted(file);
  await removeStale(directory, staleAfterMs, Date.now());
  const token = randomBytes(24).toString("hex");
  const server = createCacheServer(directory, token);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const ended = await execa(file, argv, {
      stdio: "inherit",
      preferLocal: true,
      reject: false,
      env: {
        NX_SELF_HOSTED_REMOTE_CACHE_SERVER: `http://127.0.0.1:${port}`,
        NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token,
      },
    });
    if (ended.exitCode !== undefined) return ended.exitCode;
    if (ended.signal !== undefined) return exitCodes.failed;
    throw notStarted(file, ended);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function notStarted(file: string, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_COMMAND_MISSING",
    what: "the command could not be started",
    value: file,
    remedy: "Run `npm ci`, and check the spelling.",
    cause,
  });
}
