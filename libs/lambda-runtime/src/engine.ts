import { adaptHandler, type Invoke, type Result } from "./handler/adapt-handler.ts";
import {
  buildContext,
  buildContextTemplate,
  type Context,
  type ContextTemplate,
  type Environment,
} from "./handler/context.ts";
import { loadHandler } from "./handler/load-handler.ts";
import type { InvocationStore } from "./invocation/invocation-store.ts";
import { runShutdownHooks } from "./lifecycle/shutdown.ts";
import type { Log } from "./logging/logger.ts";
import {
  type Delivery,
  type Invocation,
  RuntimeClient,
  type StreamedResult,
} from "./runtime-api/runtime-client.ts";
import { buildRuntimeError, EngineError } from "./runtime-api/runtime-error.ts";

export interface EngineProps {
  readonly environment: Environment;
  readonly store: InvocationStore;
  readonly log: Log;
  /** Sets the trace id that code outside of any context finds, such as the AWS SDK. */
  readonly setTraceId: (traceId: string | undefined) => void;
  readonly exit: (code: number) => never;
}

/** How many invocations Lambda sends at once. @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html */
export function parseConcurrency(environment: Environment): number {
  const concurrency = Number(environment.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);
  return Number.isInteger(concurrency) && concurrency > 0 ? concurrency : 1;
}

/** One connection, which carries one invocation at a time. */
interface Lane {
  readonly client: RuntimeClient;
  /** In flight; undefined while the lane waits for the next one. */
  invocation: Invocation | undefined;
}

/** The life of an execution environment: loads the handler, answers invocations, and ends in good order. */
export class Engine {
  readonly #props: EngineProps;
  readonly #address: string;
  readonly #template: ContextTemplate;
  readonly #lanes: Lane[] = [];
  /** Whether an invocation has ever come. */
  #invoked = false;
  /** Whether an invocation has ever been answered. */
  #answered = false;
  #stopping = false;
  #shutDown: Promise<never> | undefined;

  constructor(props: EngineProps) {
    this.#props = props;
    this.#address = props.environment.AWS_LAMBDA_RUNTIME_API ?? "";
    this.#template = buildContextTemplate(props.environment);
  }

  /** Goes on until the process ends. @throws what a client of the Runtime API throws */
  async run(): Promise<never> {
    const invoke = await this.#init();
    const { promise, reject } = Promise.withResolvers<never>();
    for (let lane = 0; lane < parseConcurrency(this.#props.environment); lane += 1)
      this.#openLane(invoke).then(undefined, reject);
    return promise;
  }

  /** On SIGTERM: takes no more invocations, finishes what is in flight, runs the shutdown hooks, and exits with 0. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { client, invocation } of this.#lanes) if (invocation === undefined) client.close();
    await this.#shutDownWhenIdle();
  }

  /**
   * On an error that nobody caught: fails what is in flight, since the process can't be trusted any more, and exits.
   * Until the first invocation has come, it is the start that has failed. Codes and calls are those of AWS's own client
   * for Node.js.
   *
   * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/index.mjs
   */
  async crash(kind: "uncaughtException" | "unhandledRejection", error: unknown): Promise<void> {
    const { log, exit } = this.#props;
    const cause = buildRuntimeError(error);
    const runtimeError =
      kind === "uncaughtException" ? cause : { ...cause, errorType: "Runtime.UnhandledPromiseRejection" };
    try {
      log(
        "FATAL",
        kind === "uncaughtException" ? "Uncaught Exception" : "Unhandled Promise Rejection",
        error,
      );
      if (!this.#invoked) await new RuntimeClient(this.#address).failInit(runtimeError);
      for (const { invocation } of this.#lanes) {
        if (invocation !== undefined) await new RuntimeClient(this.#address).fail(invocation, runtimeError);
      }
    } catch (unreachable) {
      log("FATAL", "The error could not be reported", unreachable);
    } finally {
      // Whatever fails here, too: it would be an error that nobody caught, and come here again.
      exit(kind === "uncaughtException" ? 129 : 128);
    }
  }

  async #init(): Promise<Invoke> {
    const { environment, log, exit } = this.#props;
    try {
      const name = environment._HANDLER ?? "";
      return adaptHandler(await loadHandler(environment.LAMBDA_TASK_ROOT ?? "/var/task", name), name);
    } catch (error) {
      log("FATAL", "Init Error", error);
      await new RuntimeClient(this.#address).failInit(buildRuntimeError(error));
      return exit(1);
    }
  }

  async #openLane(invoke: Invoke): Promise<void> {
    const client = new RuntimeClient(this.#address);
    const lane: Lane = { client, invocation: undefined };
    this.#lanes.push(lane);
    while (!this.#stopping) {
      const invocation = await client.next();
      lane.invocation = invocation;
      this.#invoked = true;
      try {
        await this.#answer(client, invoke, invocation);
        if (!this.#answered) this.#endStart();
      } finally {
        lane.invocation = undefined;
        this.#props.store.leave();
      }
    }
    client.close();
    await this.#shutDownWhenIdle();
  }

  /** With the first answer, since the first invocation runs as much code once as the start before it. */
  #endStart(): void {
    this.#answered = true;
    // The executable has begun with another one: see `engineFlags`.
    Bun.unsafe.setJITPolicy(1);
  }

  #answer(client: RuntimeClient, invoke: Invoke, invocation: Invocation): Promise<void> {
    this.#props.setTraceId(invocation.traceId);
    let context: Context;
    try {
      context = buildContext(this.#template, invocation);
    } catch (error) {
      return this.#fail(client, invocation, error);
    }
    return this.#props.store.run(context, () => this.#invoke(client, invoke, invocation, context));
  }

  async #invoke(
    client: RuntimeClient,
    invoke: Invoke,
    invocation: Invocation,
    context: Context,
  ): Promise<void> {
    let result: Result;
    try {
      result = await invoke(parseEvent(invocation.event), context);
    } catch (error) {
      await this.#fail(client, invocation, error);
      return;
    }
    await this.#deliver(client, invocation, result);
  }

  async #deliver(client: RuntimeClient, invocation: Invocation, result: Result): Promise<void> {
    const { log } = this.#props;
    const delivery =
      typeof result === "string"
        ? await client.respond(invocation, result)
        : await this.#stream(client, invocation, result);
    if (delivery === "refused") log("ERROR", "The Runtime API refused the result");
    if (delivery === "tooLarge") {
      const size = typeof result === "string" ? `${Buffer.byteLength(result)} bytes` : "its stream";
      const message = `the result is larger than Lambda takes: ${size}`;
      await this.#fail(client, invocation, new EngineError("Function.ResponseSizeTooLarge", message));
    }
  }

  /** Resolves when the handler has ended too: what it does after the end of its stream belongs to its invocation. */
  async #stream(client: RuntimeClient, invocation: Invocation, result: StreamedResult): Promise<Delivery> {
    const report = (error: unknown) => this.#props.log("ERROR", "Invoke Error", error);
    const { delivery, failure, released } = await client.respondStreaming(invocation, result);
    released?.catch(report);
    // Where the server wanted no more, the handler may wait for ever for someone to take what it has written.
    const failed = failure ?? (released === undefined ? await result.rest : undefined);
    if (failed !== undefined) report(failed.error);
    return delivery;
  }

  async #fail(client: RuntimeClient, invocation: Invocation, error: unknown): Promise<void> {
    const { log } = this.#props;
    log("ERROR", "Invoke Error", error);
    const delivery = await client.fail(invocation, buildRuntimeError(error));
    if (delivery !== "accepted") log("ERROR", "The Runtime API refused the report of the error");
  }

  /** Once, whoever asks for it. */
  async #shutDownWhenIdle(): Promise<void> {
    if (this.#lanes.some(({ invocation }) => invocation !== undefined)) return;
    this.#shutDown ??= this.#runHooksAndExit();
    await this.#shutDown;
  }

  async #runHooksAndExit(): Promise<never> {
    const errors = await runShutdownHooks();
    for (const error of errors) this.#props.log("ERROR", "Shutdown Hook Error", error);
    return this.#props.exit(0);
  }
}

/** @throws EngineError `Runtime.UnmarshalError` */
function parseEvent(event: string): unknown {
  try {
    return JSON.parse(event);
  } catch (cause) {
    throw new EngineError("Runtime.UnmarshalError", "the event is not JSON", { cause });
  }
}
