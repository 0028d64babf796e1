import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ServiceContext, ServiceException } from "../../service.ts";
import type { CodeCache } from "../code/index.ts";
import type { Runnable } from "../model.ts";
import { ExecutionEnvironment } from "./execution-environment.ts";
import { openProcessRecord } from "./orphans.ts";
import { buildLogStream, createPlatformLog, type PlatformLog } from "./platform-log.ts";
import { buildProcessSpec } from "./process-spec.ts";

/** How many environments of a function run at once here, where AWS has a thousand: they share this machine. */
const concurrencyLimit = 10;
const keptWarmMs = 5 * 60 * 1000;
/** How long a call waits for an environment that has answered and is not yet back, before another is started. */
const almostIdleMs = 250;

export interface PooledEnvironment {
  readonly environment: ExecutionEnvironment;
  readonly log: PlatformLog;
  readonly functionName: string;
  readonly runnableId: string;
  state: "idle" | "busy" | "answered";
  expiry?: NodeJS.Timeout;
  /** Resolves for whom waits for it. */
  readonly waiting: (() => void)[];
}

export type EnvironmentPool = ReturnType<typeof createEnvironmentPool>;

/** Starts execution environments where they are needed, keeps them warm for a while, and ends them. */
export function createEnvironmentPool(context: ServiceContext, codeCache: CodeCache) {
  const { store, now, region, endpoint } = context;
  const pool = new Set<PooledEnvironment>();
  const record = openProcessRecord(store);
  const registriesConf = join(store.directory, "registries.conf");
  writeFileSync(registriesConf, '[[registry]]\nprefix = "*.amazonaws.com"\ninsecure = true\n');
  const facts = { region, endpoint, registriesConf };
  /** Environments that are being started, by function. */
  const starting = new Map<string, number>();
  let stopped = false;

  async function start(runnable: Runnable, version: string): Promise<PooledEnvironment> {
    const { FunctionName, LoggingConfig, MemorySize } = runnable.configuration;
    starting.set(FunctionName, (starting.get(FunctionName) ?? 0) + 1);
    try {
      const directory = await codeCache.unpack(runnable.code);
      const logStream = buildLogStream(version, now(), randomUUID());
      const spec = buildProcessSpec({ runnable, version, logStream, directory, facts });
      const log = createPlatformLog(context, {
        logging: LoggingConfig,
        logStream,
        version,
        memoryMiB: MemorySize,
      });
      const environment = await ExecutionEnvironment.start(spec, log.writeLine);
      if (environment.pid !== undefined) record.add(environment.pid, environment.address ?? "");
      const pooled: PooledEnvironment = {
        environment,
        log,
        functionName: FunctionName,
        runnableId: runnable.id,
        state: "busy",
        waiting: [],
      };
      pool.add(pooled);
      if (stopped) await end(pooled);
      return pooled;
    } finally {
      starting.set(FunctionName, (starting.get(FunctionName) ?? 1) - 1);
    }
  }

  async function end(pooled: PooledEnvironment): Promise<void> {
    clearTimeout(pooled.expiry);
    pool.delete(pooled);
    await pooled.environment.stop();
    if (pooled.environment.pid !== undefined) record.remove(pooled.environment.pid);
  }

  const find = (runnableId: string, state: PooledEnvironment["state"]) =>
    [...pool].find(
      (pooled) => pooled.runnableId === runnableId && pooled.state === state && !pooled.environment.isEnded,
    );

  function take(pooled: PooledEnvironment): PooledEnvironment {
    clearTimeout(pooled.expiry);
    pooled.state = "busy";
    return pooled;
  }

  /** One that is idle; one that is about to be counts, as a call that follows an answer should find it warm. */
  async function takeWarm(runnableId: string): Promise<PooledEnvironment | undefined> {
    const idle = find(runnableId, "idle");
    if (idle !== undefined) return take(idle);
    const answered = find(runnableId, "answered");
    if (answered === undefined) return undefined;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, almostIdleMs);
      answered.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    const back = find(runnableId, "idle");
    return back === undefined ? undefined : take(back);
  }

  function countOf(functionName: string): number {
    const running = [...pool].filter(
      (pooled) => pooled.functionName === functionName && pooled.state !== "idle",
    );
    return running.length + (starting.get(functionName) ?? 0);
  }

  return {
    /** @throws ServiceException `TooManyRequestsException` */
    async acquire(runnable: Runnable, version: string): Promise<PooledEnvironment> {
      if (stopped) throw new ServiceException("ServiceException", "local-aws is being stopped", 500);
      const warm = await takeWarm(runnable.id);
      if (warm !== undefined) return warm;
      if (countOf(runnable.configuration.FunctionName) >= concurrencyLimit) {
        throw new ServiceException("TooManyRequestsException", "Rate Exceeded.", 429, {
          Reason: "ConcurrentInvocationLimitExceeded",
        });
      }
      return start(runnable, version);
    },

    /** It has answered, and may be back soon. */
    markAnswered(pooled: PooledEnvironment): void {
      if (pooled.state === "busy") pooled.state = "answered";
    },

    /** It is back, or has ended. */
    release(pooled: PooledEnvironment, isRetired: boolean): void {
      if (pooled.environment.isEnded || isRetired || stopped) {
        context.keepAlive(end(pooled));
      } else {
        pooled.state = "idle";
        pooled.expiry = setTimeout(() => context.keepAlive(end(pooled)), keptWarmMs);
        pooled.expiry.unref();
      }
      for (const resolve of pooled.waiting.splice(0)) resolve();
    },

    /** Ends the environments that nobody uses and nobody will. One at work ends when it comes back. */
    retire(isRetired: (runnableId: string) => boolean): void {
      for (const pooled of pool) {
        if (pooled.state === "idle" && isRetired(pooled.runnableId)) context.keepAlive(end(pooled));
      }
    },

    endOrphans: record.endOrphans,

    async stop(): Promise<void> {
      stopped = true;
      await Promise.all([...pool].map(end));
    },
  };
}
