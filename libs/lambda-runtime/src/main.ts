import { embedBuiltins } from "./embedded-builtins.ts";
import { Engine, parseConcurrency } from "./engine.ts";
import { createConcurrentStore, createSingleStore } from "./invocation/invocation-store.ts";
import { buildInvokeStore } from "./invocation/invoke-store.ts";
import { createLog, patchConsole } from "./logging/logger.ts";
import { awslambda } from "./streaming/aws-response-stream.ts";

/** The image's entry point. Everything that it is told comes from the environment, as Lambda sets it. */
async function main(): Promise<void> {
  const environment = process.env;
  const concurrency = parseConcurrency(environment);
  // Never so, which the compiler can't know.
  if (concurrency < 1) embedBuiltins();
  const concurrent = concurrency > 1;
  const store = concurrent ? await createConcurrentStore() : createSingleStore();
  const log = createLog(environment, store);
  patchConsole(console, log);
  let invokeStore: ReturnType<typeof buildInvokeStore> | undefined;
  Object.assign(globalThis, {
    awslambda: {
      ...awslambda,
      get InvokeStore() {
        invokeStore ??= buildInvokeStore(store);
        return invokeStore;
      },
    },
  });

  const engine = new Engine({
    environment,
    store,
    log,
    // One variable can't hold the ids of several invocations at once.
    setTraceId: concurrent ? () => {} : setTraceId,
    exit: process.exit,
  });
  for (const kind of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(kind, (error: unknown) => void engine.crash(kind, error));
  }
  process.on("SIGTERM", () => void engine.stop());
  try {
    await engine.run();
  } catch (error) {
    log("FATAL", "Runtime Error", error);
    process.exit(1);
  }
}

function setTraceId(traceId: string | undefined): void {
  if (traceId === undefined) delete process.env._X_AMZN_TRACE_ID;
  else process.env._X_AMZN_TRACE_ID = traceId;
}

void main();
