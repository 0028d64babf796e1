import type { IncomingMessage, ServerResponse } from "node:http";

/** One request to a repository. */
export interface Target {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly repositoryName: string;
  /** A tag, a digest or the id of an upload; empty where the path ends before it. */
  readonly reference: string;
}

/** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export function writeError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

export function writeUnsupported({ request, response }: Target): void {
  request.resume();
  writeError(response, 405, "UNSUPPORTED", "Invalid HTTP method");
}
