import { type FunctionProcess, startProcess } from "./function-process.ts";
import type { ProcessSpec } from "./process-spec.ts";
import { type Answer, type Invocation, startRuntimeApi } from "./runtime-api.ts";

export interface InvocationProps {
  readonly requestId: string;
  readonly payload: Buffer;
  readonly functionArn: string;
  readonly timeoutMs: number;
  readonly clientContext?: string;
  /** Gets the answer piece by piece, where the runtime streams it. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/** What became of an invocation. */
export interface Outcome {
  /** The whole answer, or the error's JSON. */
  readonly payload: Buffer;
  readonly contentType: string;
  readonly functionError?: "Unhandled";
}

/** What an invocation took, once the runtime is done with it. */
export interface Settlement {
  readonly durationMs: number;
  /** Of the environment's first invocation. */
  readonly initDurationMs?: number;
  readonly maxMemoryMiB?: number;
  /** How it ended, where the runtime did not ask for more. */
  readonly status?: "timeout" | "error";
}

export interface RunningInvocation {
  /** The answer: it may come before the runtime is done. */
  readonly outcome: Promise<Outcome>;
  /** The runtime has asked for the next one, or has ended. */
  readonly settlement: Promise<Settlement>;
}

/** How long a function may take to begin: more than on AWS, where nobody else's work slows the machine. */
const initTimeoutMs = 60_000;
/** How long it may go on after it has said that it can't begin. */
const failedInitGraceMs = 1_000;

type State =
  /** Not asked for an invocation yet. */
  | { readonly kind: "starting"; readonly startedMs: number }
  | { readonly kind: "idle"; readonly give: (invocation: Invocation) => void }
  /** At work, or answered and not yet back. */
  | { readonly kind: "busy" }
  | { readonly kind: "ended"; readonly errorType: string; readonly text: string };

interface Current extends InvocationProps {
  givenMs?: number;
  timer: NodeJS.Timeout;
  readonly answer: (outcome: Outcome) => void;
  readonly settle: (settlement: Settlement) => void;
}

/** One process of a function, and the Runtime API that it talks to: one invocation at a time. */
export class ExecutionEnvironment {
  #state: State = { kind: "starting", startedMs: performance.now() };
  #current: Current | undefined;
  #initDurationMs: number | undefined;
  #address: string | undefined;
  #process: FunctionProcess | undefined;
  readonly #onLine: (line: string) => void;

  private constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  static async start(spec: ProcessSpec, onLine: (line: string) => void): Promise<ExecutionEnvironment> {
    const environment = new ExecutionEnvironment(onLine);
    const api = await startRuntimeApi({
      onNext: (give) => environment.#next(give),
      onChunk: (chunk) => environment.#current?.onChunk?.(chunk),
      onAnswer: (answer) => environment.#answer(answer),
      onInitError: (payload) => environment.#failInit(payload),
      currentRequestId: () => environment.#current?.requestId,
    });
    const environmentVariables = { ...spec.environment, AWS_LAMBDA_RUNTIME_API: api.address };
    environment.#address = api.address;
    environment.#process = startProcess({ ...spec, environment: environmentVariables }, onLine);
    void environment.#process.ended.then(({ kind, text }) => {
      // Not before: the runtime would take it for a failure, and say so in the function's log.
      api.close();
      environment.#end(
        kind === "ended" ? "Runtime.ExitError" : "Runtime.InvalidEntrypoint",
        kind === "ended"
          ? `Runtime exited ${text === "" ? "without providing a reason" : `with error: ${text}`}`
          : text,
      );
    });
    return environment;
  }

  get address(): string | undefined {
    return this.#address;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isEnded(): boolean {
    return this.#state.kind === "ended";
  }

  /** Hands it an invocation: at once, or as soon as it has started. It must have none. */
  invoke(props: InvocationProps): RunningInvocation {
    let answer: Current["answer"] = () => {};
    let settle: Current["settle"] = () => {};
    const outcome = new Promise<Outcome>((resolve) => {
      answer = resolve;
    });
    const settlement = new Promise<Settlement>((resolve) => {
      settle = resolve;
    });
    const timer = setTimeout(() => this.#timeOut(initTimeoutMs), initTimeoutMs);
    this.#current = { ...props, timer, answer, settle };
    if (this.#state.kind === "idle") this.#give(this.#state.give);
    if (this.#state.kind === "ended") this.#end(this.#state.errorType, this.#state.text);
    return { outcome, settlement };
  }

  /** Ends the process, and with it what it does. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  #next(give: (invocation: Invocation) => void): void {
    if (this.#state.kind === "starting") {
      this.#initDurationMs = performance.now() - this.#state.startedMs;
      this.#state = { kind: "idle", give };
      if (this.#current !== undefined) this.#give(give);
      return;
    }
    if (this.#state.kind === "ended") return;
    this.#state = { kind: "idle", give };
    this.#settle({});
  }

  #give(give: (invocation: Invocation) => void): void {
    const current = this.#current;
    if (current === undefined) return;
    const { requestId, payload, functionArn, clientContext, timeoutMs } = current;
    clearTimeout(current.timer);
    current.timer = setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    current.givenMs = performance.now();
    this.#state = { kind: "busy" };
    give({ requestId, payload, functionArn, clientContext, deadlineMs: Date.now() + timeoutMs });
  }

  #answer({ payload, contentType, failed }: Answer): void {
    this.#current?.answer({ payload, contentType, ...(failed && { functionError: "Unhandled" }) });
  }

  /** The runtime says why it can't begin. It ends by itself, or it is ended. */
  #failInit(payload: Buffer): void {
    const current = this.#current;
    if (current === undefined) return;
    current.answer({ payload, contentType: "application/json", functionError: "Unhandled" });
    clearTimeout(current.timer);
    current.timer = setTimeout(() => this.#process?.kill(), failedInitGraceMs);
  }

  #timeOut(timeoutMs: number): void {
    const requestId = this.#current?.requestId;
    const text = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
    this.#onLine(`${new Date().toISOString()} ${requestId} ${text}`);
    this.#end("Sandbox.Timedout", text, "timeout");
    this.#process?.kill();
  }

  #end(errorType: string, text: string, status: Settlement["status"] = "error"): void {
    if (this.#state.kind !== "ended") this.#state = { kind: "ended", errorType, text };
    const error = { errorType, errorMessage: `RequestId: ${this.#current?.requestId} Error: ${text}` };
    this.#answer({
      payload: Buffer.from(JSON.stringify(error)),
      contentType: "application/json",
      failed: true,
    });
    this.#settle({ status });
  }

  #settle(more: Pick<Settlement, "status">): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    clearTimeout(current.timer);
    const { givenMs = performance.now(), settle } = current;
    settle({
      durationMs: performance.now() - givenMs,
      initDurationMs: this.#initDurationMs,
      maxMemoryMiB: this.#process?.readMaxMemoryMiB(),
      ...more,
    });
    this.#initDurationMs = undefined;
  }
}
