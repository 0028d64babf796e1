import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { CodedError } from "@workspace/shared-config";

/** Where a server keeps what must outlive it: the services' state, its port, and its log. */
export interface StateDirectory {
  readonly path: string;
  readonly logFile: string;
  /** The port that the URLs in the state have. `undefined` before the first start. */
  readPort(): number | undefined;
  writePort(port: number): void;
  remove(): void;
}

export function openStateDirectory(path: string): StateDirectory {
  const directory = resolve(path);
  mkdirSync(directory, { recursive: true });
  const portFile = join(directory, "port");
  return {
    path: directory,
    logFile: join(directory, "server.log"),
    readPort() {
      try {
        return Number(readFileSync(portFile, "utf8"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    writePort: (port) => writeFileSync(portFile, String(port)),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** @throws CodedError `E_PORT_TAKEN` */
export async function findFreePort(wanted: number | undefined): Promise<number> {
  const probe = createServer();
  probe.listen(wanted ?? 0, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new CodedError({
      code: "E_PORT_TAKEN",
      what: "another program listens on the port of this local AWS",
      value: wanted,
      remedy:
        "End that program, or start over on a free port: `local-aws reset`. LOCAL_AWS_PORT names another for a new state.",
      cause,
    });
  }
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
