import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The process of a function, without the address of its Runtime API. */
export interface ProcessSpec {
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface InvocationProps {
  readonly payload: Buffer;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  readonly clientContext?: string;
  /** Gets the answer piece by piece, where the runtime streams it. */
  readonly onChunk?: (chunk: Buffer) => void;
}

export interface Outcome {
  readonly requestId: string;
  /** The whole answer, or the error's JSON. */
  readonly payload: Buffer;
  /** Of the answer, as the runtime says it. */
  readonly contentType: string;
  readonly functionError?: "Unhandled";
  readonly durationMs: number;
}

/** What the runtime may still be given: init takes this long at the most. */
const initTimeoutMs = 60_000;
/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const payloadLimitBytes = 6 * 1024 * 1024;

interface Current {
  readonly requestId: string;
  readonly props: InvocationProps;
  readonly settle: (outcome: Omit<Outcome, "requestId" | "durationMs">) => void;
}

/**
 * One process of a function, and the Runtime API that it talks to: one invocation at a time.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class ExecutionEnvironment {
  /** Whether it can take another invocation after the one it has. */
  usable = true;
  readonly #process: ChildProcess;
  readonly #api: Server;
  readonly #onLog: (line: string) => void;
  #waiting: ServerResponse | undefined;
  #current: Current | undefined;
  #idle: (() => void) | undefined;

  static async start(spec: ProcessSpec, onLog: (line: string) => void): Promise<ExecutionEnvironment> {
    const api = createServer();
    api.keepAliveTimeout = 0;
    api.requestTimeout = 0;
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    return new ExecutionEnvironment(spec, api, onLog);
  }

  constructor(spec: ProcessSpec, api: Server, onLog: (line: string) => void) {
    this.#onLog = onLog;
    this.#api = api;
    api.on("request", (request, response) => void this.#answer(request, response));
    const address = `127.0.0.1:${(api.address() as AddressInfo).port}`;
    this.#process = spawn(spec.file, spec.argv, {
      cwd: spec.cwd,
      env: { ...spec.environment, AWS_LAMBDA_RUNTIME_API: address },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) this.#forwardLines(stream);
    this.#process.on("error", (error) => this.#ended(`Runtime.InvalidEntrypoint`, error.message));
    this.#process.on("exit", (code, signal) => {
      const status = code === null ? `signal: ${signal}` : `exit status ${code}`;
      this.#ended(
        "Runtime.ExitError",
        `Runtime exited ${code === 0 ? "without providing a reason" : `with error: ${status}`}`,
      );
    });
  }

  async invoke(props: InvocationProps): Promise<Outcome> {
    const requestId = randomUUID();
    const startedMs = performance.now();
    const answered = new Promise<Omit<Outcome, "requestId" | "durationMs">>((settle) => {
      this.#current = { requestId, props, settle };
    });
    let timer: NodeJS.Timeout | undefined = setTimeout(
      () => this.#timeOut(initTimeoutMs / 1000),
      initTimeoutMs,
    );
    this.#idle = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#timeOut(props.timeoutSeconds), props.timeoutSeconds * 1000);
    };
    this.#give();
    const outcome = await answered;
    clearTimeout(timer);
    return { ...outcome, requestId, durationMs: performance.now() - startedMs };
  }

  /** SIGTERM, and SIGKILL where that is not enough. */
  async stop(): Promise<void> {
    this.usable = false;
    this.#api.close();
    this.#api.closeAllConnections();
    if (
      this.#process.exitCode !== null ||
      this.#process.signalCode !== null ||
      this.#process.pid === undefined
    )
      return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    const force = setTimeout(() => this.#process.kill("SIGKILL"), 500);
    await exited;
    clearTimeout(force);
  }

  #give(): void {
    if (this.#waiting === undefined || this.#current === undefined) return;
    const { requestId, props } = this.#current;
    const response = this.#waiting;
    this.#waiting = undefined;
    this.#idle?.();
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": props.payload.length,
      "lambda-runtime-aws-request-id": requestId,
      "lambda-runtime-deadline-ms": String(Date.now() + props.timeoutSeconds * 1000),
      "lambda-runtime-invoked-function-arn": props.functionArn,
      "lambda-runtime-trace-id": `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString("hex")};Parent=${randomBytes(8).toString("hex")};Sampled=0`,
      ...(props.clientContext && { "lambda-runtime-client-context": props.clientContext }),
    });
    response.end(props.payload);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace("/2018-06-01/runtime", "");
    if (path === "/invocation/next") {
      this.#waiting = response;
      this.#give();
      return;
    }
    const current = this.#current;
    const { chunks, size } = await this.#readAnswer(request, path);
    if (path === "/init/error") {
      this.usable = false;
      accept(response);
      this.#settle({
        payload: Buffer.concat(chunks),
        contentType: "application/json",
        functionError: "Unhandled",
      });
      return;
    }
    const kind =
      current &&
      [`/invocation/${current.requestId}/response`, `/invocation/${current.requestId}/error`].indexOf(path);
    if (kind === undefined || kind < 0)
      return refuse(response, 400, "InvalidRequestID", "Invalid request ID");
    if (
      size > payloadLimitBytes &&
      request.headers["lambda-runtime-function-response-mode"] !== "streaming"
    ) {
      return refuse(
        response,
        413,
        "RequestEntityTooLarge",
        `Exceeded maximum allowed payload size (${payloadLimitBytes} bytes).`,
      );
    }
    accept(response);
    const trailer = request.trailers["lambda-runtime-function-error-body"];
    const failed = kind === 1 || trailer !== undefined;
    this.#settle({
      payload: typeof trailer === "string" ? Buffer.from(trailer, "base64") : Buffer.concat(chunks),
      contentType: request.headers["content-type"] ?? "application/json",
      ...(failed && { functionError: "Unhandled" }),
    });
  }

  async #readAnswer(request: IncomingMessage, path: string): Promise<{ chunks: Buffer[]; size: number }> {
    const streams =
      request.headers["lambda-runtime-function-response-mode"] === "streaming" && path.endsWith("/response");
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      chunks.push(chunk);
      if (streams) this.#current?.props.onChunk?.(chunk);
    }
    return { chunks, size };
  }

  #settle(outcome: Omit<Outcome, "requestId" | "durationMs">): void {
    const current = this.#current;
    this.#current = undefined;
    current?.settle(outcome);
  }

  #timeOut(seconds: number): void {
    const { requestId } = this.#current ?? {};
    this.usable = false;
    const errorMessage = `${new Date().toISOString()} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds`;
    this.#onLog(errorMessage);
    this.#fail("Sandbox.Timedout", errorMessage);
    void this.stop();
  }

  #ended(errorType: string, message: string): void {
    this.usable = false;
    this.#api.close();
    this.#fail(errorType, `RequestId: ${this.#current?.requestId} Error: ${message}`);
  }

  #fail(errorType: string, errorMessage: string): void {
    const payload = Buffer.from(JSON.stringify({ errorType, errorMessage }));
    this.#settle({ payload, contentType: "application/json", functionError: "Unhandled" });
  }

  #forwardLines(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.on("data", (chunk) => {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#onLog(line);
    });
    stream?.on("end", () => {
      if (rest !== "") this.#onLog(rest);
    });
  }
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ errorType, errorMessage }));
}
