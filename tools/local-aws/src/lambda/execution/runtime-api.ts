import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What a runtime is given. */
export interface Invocation {
  readonly requestId: string;
  readonly payload: Buffer;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  /** JSON, as the client's header has it in base64. */
  readonly clientContext?: string;
}

/** What a runtime answers. */
export interface Answer {
  readonly payload: Buffer;
  readonly contentType: string;
  /** Whether the runtime, or the middle of its stream, says that the function failed. */
  readonly failed: boolean;
}

/** What the Runtime API tells the environment that it belongs to. */
export interface RuntimeEvents {
  /** The runtime is ready; `give` hands it its next invocation. */
  readonly onNext: (give: (invocation: Invocation) => void) => void;
  /** A piece of a streamed answer. */
  readonly onChunk: (chunk: Buffer) => void;
  readonly onAnswer: (answer: Answer) => void;
  readonly onInitError: (payload: Buffer) => void;
  /** Id of the invocation that an answer may be for. */
  readonly currentRequestId: () => string | undefined;
}

export interface RuntimeApi {
  /** Host and port, as `AWS_LAMBDA_RUNTIME_API` has them. */
  readonly address: string;
  close(): void;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const answerMaxBytes = 6 * 1024 * 1024 + 100;

const base = "/2018-06-01/runtime";

/**
 * The Runtime API of one execution environment, on a port of its own.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi(events: RuntimeEvents): Promise<RuntimeApi> {
  const server = createServer((request, response) => {
    answer(request, response, events).catch((error) => {
      // The process was ended in the middle of a request.
      response.destroy(error);
    });
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the Runtime API has no port");
  return {
    address: `127.0.0.1:${bound.port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  events: RuntimeEvents,
): Promise<void> {
  const { method, url = "" } = request;
  if (method === "GET" && url === `${base}/invocation/next`) {
    events.onNext((invocation) => writeInvocation(response, invocation));
    return;
  }
  if (method === "POST" && url === `${base}/init/error`) {
    events.onInitError(Buffer.concat(await read(request)));
    return accept(response);
  }
  const { requestId, kind } =
    /^\/2018-06-01\/runtime\/invocation\/(?<requestId>[^/]+)\/(?<kind>response|error)$/.exec(url)?.groups ??
    {};
  if (method !== "POST" || kind === undefined) {
    request.resume();
    return refuse(response, 404, "ResourceNotFound", `local-aws: the Runtime API has no ${method} ${url}`);
  }
  if (requestId !== events.currentRequestId()) {
    request.resume();
    return refuse(response, 400, "InvalidRequestID", "Invalid request ID");
  }
  await takeAnswer(request, response, kind === "error", events);
}

async function takeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  isError: boolean,
  events: RuntimeEvents,
): Promise<void> {
  const streams = !isError && request.headers["lambda-runtime-function-response-mode"] === "streaming";
  const chunks = await read(request, streams ? events.onChunk : undefined);
  const payload = Buffer.concat(chunks);
  const contentType = request.headers["content-type"] ?? "application/octet-stream";
  if (!streams && payload.length > answerMaxBytes) {
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${answerMaxBytes} bytes).`;
    const error = JSON.stringify({ errorMessage, errorType: "Function.ResponseSizeTooLarge" });
    events.onAnswer({ payload: Buffer.from(error), contentType: "application/json", failed: true });
    return refuse(
      response,
      413,
      "RequestEntityTooLarge",
      `Exceeded maximum allowed payload size (${answerMaxBytes} bytes).`,
    );
  }
  const errorType = request.trailers["lambda-runtime-function-error-type"];
  const errorBody = request.trailers["lambda-runtime-function-error-body"];
  if (errorType === undefined) events.onAnswer({ payload, contentType, failed: isError });
  else {
    const error = Buffer.from(errorBody ?? "", "base64");
    events.onAnswer({ payload: error, contentType: "application/json", failed: true });
  }
  accept(response);
}

async function read(request: IncomingMessage, onChunk?: (chunk: Buffer) => void): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    onChunk?.(chunk);
  }
  return chunks;
}

function writeInvocation(response: ServerResponse, invocation: Invocation): void {
  const { requestId, payload, deadlineMs, functionArn, clientContext } = invocation;
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": payload.length,
    "lambda-runtime-aws-request-id": requestId,
    "lambda-runtime-deadline-ms": String(deadlineMs),
    "lambda-runtime-invoked-function-arn": functionArn,
    "lambda-runtime-trace-id": buildTraceId(),
    ...(clientContext !== undefined && { "lambda-runtime-client-context": clientContext }),
  });
  response.end(payload);
}

/** @see https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function buildTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const [trace, parent] = [randomBytes(12).toString("hex"), randomBytes(8).toString("hex")];
  return `Root=1-${seconds}-${trace};Parent=${parent};Sampled=0`;
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}\n');
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errorMessage, errorType }));
}
