import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a runtime posted for an invocation. */
export interface Outcome {
  readonly kind: "response" | "error";
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: NodeJS.Dict<string>;
}

export interface InvokeOptions {
  /** Beside those that every invocation has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The status of the answer to a result. @default 202 */
  readonly responseStatus?: number;
  /** How the event is sent. @default "whole" */
  readonly framing?: "whole" | "chunked" | "bytewise";
  /** Whether the connection is closed after the event, and after the result. @default false */
  readonly closing?: boolean;
  /** Answers a result before it has come to its end. @default false */
  readonly answerEarly?: boolean;
  /** A result is not read before this resolves. */
  readonly readAfter?: Promise<void>;
  /** Called with each piece of a result as it comes. */
  readonly onPiece?: (piece: Buffer) => void;
  /** Epoch milliseconds. @default in a minute */
  readonly deadlineMs?: number;
}

interface Pending {
  readonly requestId: string;
  readonly event: string | Buffer;
  readonly options: InvokeOptions;
  readonly settle: (outcome: Outcome) => void;
}

/**
 * The Runtime API over HTTP, for tests: hands out what they invoke and keeps what the runtime posts.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApiServer {
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  readonly #queue: Pending[] = [];
  readonly #inFlight = new Map<string, Pending>();
  readonly #waiting: ServerResponse[] = [];
  readonly #initErrors: Outcome[] = [];
  readonly #watchers = new Set<() => void>();
  #lastId = 0;
  /** How many connections were made. */
  connections = 0;

  async start(): Promise<void> {
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", () => {
      this.connections += 1;
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** As in `AWS_LAMBDA_RUNTIME_API`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get initErrors(): readonly Outcome[] {
    return this.#initErrors;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves with what the runtime posts. @param event JSON as it is sent */
  invokeRaw(event: string | Buffer, options: InvokeOptions = {}): Promise<Outcome> {
    this.#lastId += 1;
    const requestId = `8476a536-e9f4-11e8-9739-${String(this.#lastId).padStart(12, "0")}`;
    return new Promise((settle) => {
      this.#queue.push({ requestId, event, options, settle });
      this.#dispatch();
    });
  }

  invoke(event: unknown, options: InvokeOptions = {}): Promise<Outcome> {
    return this.invokeRaw(JSON.stringify(event), options);
  }

  /** Resolves when the condition holds; it is looked at whenever something has come. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, , , kind, id = "", end = ""] = (request.url ?? "").split("/");
    if (kind === "invocation" && id === "next") {
      this.#waiting.push(response);
      response.on("close", () => {
        const at = this.#waiting.indexOf(response);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#look();
      });
      this.#dispatch();
    } else if (kind === "invocation") {
      await this.#settle(id, end === "error" ? "error" : "response", request, response);
    } else {
      this.#initErrors.push(await readOutcome("error", "", request));
      response.writeHead(202).end();
    }
    this.#look();
  }

  async #settle(
    requestId: string,
    kind: Outcome["kind"],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const pending = this.#inFlight.get(requestId);
    if (pending === undefined) {
      response.writeHead(400).end('{"errorType":"InvalidRequestID"}');
      return;
    }
    const {
      responseStatus = 202,
      answerEarly = false,
      closing = false,
      readAfter,
      onPiece,
    } = pending.options;
    const status = kind === "response" ? responseStatus : 202;
    if (closing) response.setHeader("connection", "close");
    if (answerEarly && kind === "response") response.writeHead(status).end("{}");
    if (kind === "response") await readAfter;
    let outcome: Outcome;
    try {
      outcome = await readOutcome(kind, requestId, request, onPiece);
    } catch {
      // The runtime broke the request off, as it may after an early answer.
      this.#inFlight.delete(requestId);
      return;
    }
    if (!answerEarly) response.writeHead(status).end('{"status":"OK"}');
    if (status === 413) return;
    this.#inFlight.delete(requestId);
    pending.settle(outcome);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && this.#queue.length > 0) {
      const response = this.#waiting.shift();
      const pending = this.#queue.shift();
      if (response === undefined || pending === undefined) return;
      this.#inFlight.set(pending.requestId, pending);
      void sendEvent(response, pending);
    }
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}

async function sendEvent(response: ServerResponse, { requestId, event, options }: Pending): Promise<void> {
  const body = Buffer.from(event);
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Lambda-Runtime-Aws-Request-Id", requestId);
  response.setHeader("Lambda-Runtime-Deadline-Ms", String(options.deadlineMs ?? Date.now() + 60_000));
  response.setHeader(
    "Lambda-Runtime-Invoked-Function-Arn",
    "arn:aws:lambda:eu-central-1:000000000000:function:probe:live",
  );
  for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value);
  if (options.closing) response.setHeader("Connection", "close");
  if (options.framing === undefined || options.framing === "whole") {
    response.setHeader("Content-Length", body.length);
    response.end(body);
    return;
  }
  const size = options.framing === "bytewise" ? 1 : 1000;
  for (let at = 0; at < body.length; at += size) {
    await new Promise((resolve) => response.write(body.subarray(at, at + size), resolve));
  }
  response.end();
}

async function readOutcome(
  kind: Outcome["kind"],
  requestId: string,
  request: IncomingMessage,
  onPiece?: (piece: Buffer) => void,
): Promise<Outcome> {
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    pieces.push(piece);
    onPiece?.(piece);
  }
  const { headers, trailers } = request;
  return { kind, requestId, headers, body: Buffer.concat(pieces), trailers };
}
