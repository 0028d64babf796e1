import { appendFileSync } from "node:fs";
import { CodedError } from "@workspace/shared-config";
import { attachPath, isStopRequest, type ServerStatus, statusPath, stopPath } from "../attachment.ts";
import { startServer } from "../server.ts";
import { choosePort, type StateDirectory } from "../state-directory.ts";

export interface ServeProps {
  readonly state: StateDirectory;
  readonly region: string;
  /** @default the state's own; a free one where the state is new */
  readonly port?: number;
  readonly recordFile?: string;
  /** Whether to end by itself once no command is attached and no work is under way. */
  readonly endsWhenIdle: boolean;
}

/** How long a server without a command waits for the next. */
const idleMs = 1500;

/**
 * Serves until it is told to stop, or has nothing to do. Gives the endpoint at once, and when it ended.
 * @throws CodedError `E_STATE_IN_USE`, `E_STATE_FOLDER`, `E_STATE_CORRUPT`, `E_PORT_TAKEN`, `E_PORT_OF_STATE`,
 * `E_RECORD_FILE`
 */
export async function serve({
  state,
  region,
  port,
  recordFile,
  endsWhenIdle,
}: ServeProps): Promise<{ endpoint: string; ended: Promise<void> }> {
  await state.lock();
  state.create();
  if (recordFile !== undefined) mustBeWritable(recordFile);
  const chosen = await choosePort(state.readPort(), port);
  const log = (line: string) => {
    try {
      appendFileSync(state.logFile, `${new Date().toISOString()} ${line}\n`);
    } catch {
      // On a full disk, whoever called still gets an answer.
    }
  };
  state.writePort(chosen);
  const server = await startServer({ stateDirectory: state.path, port: chosen, region, recordFile, log });
  let attachments = 0;
  let idleSince = Date.now();
  let isEnding = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = () => {
      isEnding = true;
      resolve();
    };
  });

  server.onOwnPath(statusPath, (_request, response) => {
    const status: ServerStatus = {
      stateDirectory: state.path,
      pid: process.pid,
      attachments,
      busy: server.busy(),
    };
    response
      .writeHead(200, { "content-type": "application/json", server: "local-aws" })
      .end(JSON.stringify(status));
  });
  server.onOwnPath(attachPath, (_request, response) => {
    if (isEnding) {
      response.writeHead(503).end();
      return;
    }
    attachments += 1;
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("attached\n");
    response.on("close", () => {
      attachments -= 1;
      idleSince = Date.now();
    });
  });
  server.onOwnPath(stopPath, (request, response) => {
    if (!isStopRequest(request)) {
      response.writeHead(403).end();
      return;
    }
    response.writeHead(202).end();
    end();
  });
  const watch = setInterval(() => {
    if (attachments > 0 || server.busy()) idleSince = Date.now();
    if (endsWhenIdle && Date.now() - idleSince > idleMs) end();
  }, 100);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end());
  const stopped = ended.then(async () => {
    clearInterval(watch);
    await server.stop();
  });
  return { endpoint: server.endpoint, ended: stopped };
}

function mustBeWritable(recordFile: string): void {
  try {
    appendFileSync(recordFile, "");
  } catch (cause) {
    throw new CodedError({
      code: "E_RECORD_FILE",
      what: `calls can't be recorded there (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`,
      value: recordFile,
      remedy: "Name a file that can be written in LOCAL_AWS_RECORD, or leave it out.",
      cause,
    });
  }
}
