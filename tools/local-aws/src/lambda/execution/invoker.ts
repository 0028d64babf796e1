import { randomUUID } from "node:crypto";
import { type ServiceContext, ServiceException } from "../../service.ts";
import { conflict } from "../errors.ts";
import { type Functions, findAlias, nameOf, type Reference } from "../functions.ts";
import type { LambdaFunction, Runnable, Version } from "../model.ts";
import type { EnvironmentPool, PooledEnvironment } from "./environment-pool.ts";
import type { InvocationProps, Outcome, RunningInvocation } from "./execution-environment.ts";
import { putInvocationMetrics } from "./metrics.ts";

export interface InvokeProps extends Pick<InvocationProps, "payload" | "clientContext" | "onChunk"> {
  /** Whether the answer waits until the log of the invocation is whole. @default false */
  readonly withLog?: boolean;
}

export interface Invoked extends Outcome {
  readonly requestId: string;
  readonly executedVersion: string;
  /** The last 4 KiB of it, where it was asked for. */
  readonly log?: string;
}

/** How long an answer waits for the runtime to be done, so that its log is whole. */
const logWaitMs = 5_000;

export type Invoker = ReturnType<typeof createInvoker>;

/** Calls functions: chooses the version, finds an environment, and keeps logs and metrics. */
export function createInvoker(context: ServiceContext, functions: Functions, pool: EnvironmentPool) {
  /** The version that the alias's weights choose, for one call. */
  function chooseVersion(fn: LambdaFunction, qualifier: string | undefined): Version {
    const weights = findAlias(fn, qualifier)?.RoutingConfig?.AdditionalVersionWeights ?? {};
    let chance = Math.random();
    for (const [version, weight] of Object.entries(weights)) {
      if (chance < weight) return functions.mustFindVersion(fn, version);
      chance -= weight;
    }
    return functions.mustFindVersion(fn, qualifier);
  }

  /** Whether no call will start it again. */
  function isRetired(runnableId: string): boolean {
    return !functions
      .list()
      .flatMap(({ latest, published }) => [latest, ...published])
      .some(({ runnable, previous }) => (previous ?? runnable).id === runnableId);
  }

  async function acquire(
    fn: LambdaFunction,
    qualifier: string | undefined,
    version: Version,
    runnable: Runnable,
  ) {
    try {
      return await pool.acquire(runnable, version.version);
    } catch (error) {
      if (error instanceof ServiceException && error.name === "TooManyRequestsException") {
        await putInvocationMetrics(context, {
          functionName: nameOf(fn),
          qualifier,
          values: { Throttles: 1 },
        });
      }
      throw error;
    }
  }

  /** What is left to do when the client has its answer. */
  async function settle(
    pooled: PooledEnvironment,
    running: RunningInvocation,
    requestId: string,
    metrics: { functionName: string; qualifier?: string; executedVersion: string },
    runnableId: string,
  ): Promise<void> {
    void running.outcome.then(() => pool.markAnswered(pooled));
    const settlement = await running.settlement;
    const { functionError } = await running.outcome;
    await linesAreRead();
    pooled.log.report(requestId, settlement);
    pool.release(pooled, isRetired(runnableId));
    const values = {
      Invocations: 1,
      Errors: functionError === undefined ? 0 : 1,
      Throttles: 0,
      Duration: settlement.durationMs,
    };
    await putInvocationMetrics(context, { ...metrics, values });
  }

  return {
    chooseVersion,

    /** Ends what no call will start again. */
    retire: () => pool.retire(isRetired),

    /** @throws ServiceException where it can't even be tried */
    async invoke({ name, qualifier }: Reference, props: InvokeProps): Promise<Invoked> {
      const fn = functions.mustFind({ name, qualifier });
      const version = chooseVersion(fn, qualifier);
      if (version.state !== "Active") {
        throw conflict(
          `The operation cannot be performed at this time. The function is currently in the following state: ${version.state}`,
        );
      }
      const runnable = version.previous ?? version.runnable;
      const pooled = await acquire(fn, qualifier, version, runnable);
      const requestId = randomUUID();
      pooled.log.start(requestId);
      const running = pooled.environment.invoke({
        requestId,
        payload: props.payload,
        clientContext: props.clientContext,
        onChunk: props.onChunk,
        functionArn: functions.arnOf(name, qualifier),
        timeoutMs: runnable.configuration.Timeout * 1000,
      });
      const metrics = { functionName: name, qualifier, executedVersion: version.version };
      const settled = settle(pooled, running, requestId, metrics, runnable.id);
      context.keepAlive(settled);
      const outcome = await running.outcome;
      if (props.withLog) await Promise.race([settled, delay(logWaitMs)]);
      const log = props.withLog ? pooled.log.readTail() : undefined;
      return { ...outcome, requestId, executedVersion: version.version, ...(log !== undefined && { log }) };
    },
  };
}

/** What a process has written before is in the pipe by now: one more turn of the event loop reads it. */
async function linesAreRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
