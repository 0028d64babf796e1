import { type IncomingMessage, request } from "node:http";
import { CodedError } from "@workspace/shared-config";

/** A server says here which state it serves, and is attached to for as long as the answer lasts. */
export const statusPath = "/_local-aws/status";
export const attachPath = "/_local-aws/attach";
export const stopPath = "/_local-aws/stop";
/** What asks the server to stop. A web page can't send it: its browser would ask first, and is not allowed to. */
const stopRequest = { method: "POST", headers: { "x-local-aws": "stop" } } as const;

export function isStopRequest({ method, headers }: IncomingMessage): boolean {
  return method === stopRequest.method && headers["x-local-aws"] === stopRequest.headers["x-local-aws"];
}

export interface ServerStatus {
  readonly stateDirectory: string;
  readonly pid: number;
  readonly attachments: number;
  readonly busy: boolean;
}

/** `undefined` where nothing listens, or where it isn't the server of this state. */
export async function findStatus(
  endpoint: string,
  stateDirectory?: string,
): Promise<ServerStatus | undefined> {
  let response: Response;
  try {
    response = await fetch(endpoint + statusPath);
  } catch (error) {
    if (error instanceof TypeError || isConnectionRefused(error)) return undefined;
    throw error;
  }
  if (!response.ok || response.headers.get("server") !== "local-aws") return undefined;
  const status = (await response.json()) as ServerStatus;
  return stateDirectory === undefined || status.stateDirectory === stateDirectory ? status : undefined;
}

/** Node wraps a refused connection in a TypeError; Bun gives the error a code of its own. */
function isConnectionRefused(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    ["ConnectionRefused", "ECONNREFUSED", "ECONNRESET"].includes(String(error.code))
  );
}

/** Holds a connection open, which keeps the server up. `undefined` where the server went away before it answered. */
export function attach(endpoint: string): Promise<{ detach: () => void } | undefined> {
  return new Promise((resolve) => {
    const held = request(endpoint + attachPath, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve({ detach: () => held.destroy() });
      else resolve(undefined);
    });
    held.on("error", () => resolve(undefined));
    held.end();
  });
}

/** Ends the server, whatever is attached. Resolves when it is gone. @throws CodedError `E_STOP_REFUSED` */
export async function stopServer(endpoint: string): Promise<void> {
  if ((await findStatus(endpoint)) === undefined) return;
  const { status } = await fetch(endpoint + stopPath, stopRequest);
  if (status !== 202) {
    throw new CodedError({
      code: "E_STOP_REFUSED",
      what: `the local AWS at ${endpoint} does not stop when it is asked to`,
      value: status,
      remedy: "It may be of another version of this workspace: end its process, then run the command again.",
    });
  }
  while ((await findStatus(endpoint)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
}
