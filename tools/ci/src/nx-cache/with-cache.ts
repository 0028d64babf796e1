import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { execa } from "execa";
import { createCacheServer, removeStale } from "./server.ts";

const staleAfterMs = 14 * 24 * 60 * 60 * 1000;

/** Runs a command with Nx's remote cache on a folder, for as long as the command runs. Gives its exit code. */
export async function runWithCache(directory: string, command: readonly string[]): Promise<number> {
  const [file = "", ...argv] = command;
  await removeStale(directory, staleAfterMs, Date.now());
  const token = randomBytes(24).toString("hex");
  const server = createCacheServer(directory, token);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const { exitCode = 1 } = await execa(file, argv, {
      stdio: "inherit",
      preferLocal: true,
      reject: false,
      env: {
        NX_SELF_HOSTED_REMOTE_CACHE_SERVER: `http://127.0.0.1:${port}`,
        NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token,
      },
    });
    return exitCode;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
