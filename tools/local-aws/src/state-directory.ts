import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { replaceFile } from "./replace-file.ts";
import { corruptState, unusableFolder } from "./state-errors.ts";
import { findHolder, lockDirectory } from "./state-lock.ts";

/** Where a server keeps what must outlive it: the services' state, its port, and its log. */
export interface StateDirectory {
  readonly path: string;
  readonly logFile: string;
  /** Makes the folder and its log where they don't exist. @throws CodedError `E_STATE_FOLDER` */
  create(): void;
  /**
   * The port that the URLs in the state have. `undefined` before the first start.
   * @throws CodedError `E_STATE_CORRUPT`, `E_STATE_FOLDER`
   */
  readPort(): number | undefined;
  /** @throws CodedError `E_STATE_FOLDER` */
  writePort(port: number): void;
  /** `http://127.0.0.1:4566`, whether a server is up or not. @throws CodedError as `readPort` does */
  readEndpoint(): string | undefined;
  /**
   * Makes this process the only one that has the state, for as long as it lives.
   * @throws CodedError `E_STATE_IN_USE`
   */
  lock(): Promise<void>;
  /** Whether a process has it locked. */
  isLocked(): Promise<boolean>;
  /** @throws CodedError `E_STATE_FOLDER` */
  remove(): void;
}

/** Nothing is made or looked at yet. */
export function openStateDirectory(path: string): StateDirectory {
  const directory = resolve(path);
  const portFile = join(directory, "port");
  const logFile = join(directory, "server.log");
  function readPort(): number | undefined {
    let text: string;
    try {
      text = readFileSync(portFile, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      throw code === "EISDIR" ? corruptState(portFile, code, error) : unusableFolder(directory, error);
    }
    if (!isPort(Number(text))) throw corruptState(portFile, text);
    return Number(text);
  }
  function orUnusable(use: () => void): void {
    try {
      use();
    } catch (error) {
      throw unusableFolder(directory, error);
    }
  }
  return {
    path: directory,
    logFile,
    create: () =>
      orUnusable(() => {
        mkdirSync(directory, { recursive: true });
        closeSync(openSync(logFile, "a"));
      }),
    readPort,
    readEndpoint() {
      const port = readPort();
      return port === undefined ? undefined : `http://127.0.0.1:${port}`;
    },
    writePort: (port) => orUnusable(() => replaceFile(portFile, String(port))),
    lock: () => lockDirectory(directory),
    isLocked: async () => (await findHolder(directory)) !== undefined,
    remove: () => orUnusable(() => rmSync(directory, { recursive: true, force: true })),
  };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

/** @throws CodedError `E_PORT_INVALID` */
export function parsePort(text: string): number {
  const port = Number(text);
  if (isPort(port)) return port;
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
