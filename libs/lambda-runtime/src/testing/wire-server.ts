import { on, once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach } from "vitest";

/** A request that nobody answers but the test. Its body is read by the test, or not at all. */
export interface WireRequest {
  /** The end of its path, and the connection that it came over, counted from 1: `GET next over 1`. */
  readonly what: string;
  readonly message: IncomingMessage;
  readonly socket: Socket;
}

export interface WireServer {
  /** As in `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** The next request that has come, or comes. */
  take(): Promise<WireRequest>;
}

const running: Server[] = [];

/**
 * A Runtime API that says only what a test writes to its sockets, also what no HTTP server would say. It is ended after
 * the test.
 */
export async function startWireServer(host = "127.0.0.1"): Promise<WireServer> {
  const sockets: Socket[] = [];
  const server = createServer().on("connection", (socket) => sockets.push(socket));
  const requests = on(server, "request");
  running.push(server);
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    async take() {
      const { value } = await requests.next();
      const message: IncomingMessage = value[0];
      const { method, url = "", socket } = message;
      const connection = sockets.indexOf(socket) + 1;
      return { what: `${method} ${url.split("/").at(-1)} over ${connection}`, message, socket };
    },
  };
}

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An answer as it goes over the wire. @param fields beside its length: `["Connection: close"]` */
export function buildAnswer(status: number, body = "", fields: readonly string[] = []): string {
  const head = [`HTTP/1.1 ${status} Any`, `Content-Length: ${Buffer.byteLength(body)}`, ...fields];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** The fields that an invocation can't do without. */
export const invocationFields = ["Lambda-Runtime-Aws-Request-Id: id", "Lambda-Runtime-Deadline-Ms: 1"];
