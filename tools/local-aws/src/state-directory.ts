import { createHash } from "node:crypto";
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
  /** `http://127.0.0.1:4566`, whether a server is up or not. */
  readEndpoint(): string | undefined;
  /**
   * Makes this process the only one that serves the state, for as long as it lives.
   * @throws CodedError `E_STATE_IN_USE`
   */
  lock(): Promise<void>;
  remove(): void;
}

export function openStateDirectory(path: string): StateDirectory {
  const directory = resolve(path);
  mkdirSync(directory, { recursive: true });
  const portFile = join(directory, "port");
  function readPort(): number | undefined {
    try {
      return Number(readFileSync(portFile, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
  return {
    path: directory,
    logFile: join(directory, "server.log"),
    readPort,
    readEndpoint() {
      const port = readPort();
      return port === undefined ? undefined : `http://127.0.0.1:${port}`;
    },
    writePort: (port) => writeFileSync(portFile, String(port)),
    lock: () => lockDirectory(directory),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** How long a server that has closed its port may take until its process is gone. */
const lockTimeoutMs = 5000;

/** A name in Linux's abstract socket space: the kernel frees it with the process, however that ends. */
async function lockDirectory(directory: string): Promise<void> {
  const name = createHash("sha256").update(directory).digest("hex").slice(0, 32);
  const deadlineMs = Date.now() + lockTimeoutMs;
  while (!(await holdSocket(`\0local-aws-${name}`))) {
    if (Date.now() > deadlineMs) {
      throw new CodedError({
        code: "E_STATE_IN_USE",
        what: "another local AWS serves this state",
        value: directory,
        remedy: "Use that one (`local-aws status`), or name another folder in LOCAL_AWS_STATE.",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** `false` where another process holds it. */
async function holdSocket(path: string): Promise<boolean> {
  const holder = createServer().listen({ path });
  try {
    await once(holder, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return false;
  }
  holder.unref();
  return true;
}

/** @throws CodedError `E_PORT_INVALID` */
export function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new CodedError({
    code: "E_PORT_INVALID",
    what: "not a port",
    value: text,
    remedy: "Give a number from 1 to 65535 in --port or LOCAL_AWS_PORT.",
  });
}

/**
 * The port to serve a state on: its own, since URLs in it have that; the wanted one where it is new; else a free one.
 * @throws CodedError `E_PORT_OF_STATE`, `E_PORT_TAKEN`
 */
export async function choosePort(own: number | undefined, wanted: number | undefined): Promise<number> {
  if (own !== undefined && wanted !== undefined && own !== wanted) {
    throw new CodedError({
      code: "E_PORT_OF_STATE",
      what: `the state is full of URLs with the port ${own}`,
      value: wanted,
      remedy: "Leave the port out, or start over on the new one: `local-aws reset`.",
    });
  }
  return findFreePort(own ?? wanted);
}

/** @throws CodedError `E_PORT_TAKEN` */
async function findFreePort(wanted: number | undefined): Promise<number> {
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
