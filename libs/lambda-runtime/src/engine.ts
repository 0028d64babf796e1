import { createRequire } from "node:module";
import { join } from "node:path";
import type { Context, Handler } from "./handler.ts";
import { createRuntimeClient, type Invocation } from "./runtime-client.ts";
import { buildRuntimeError } from "./runtime-error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Loads the handler and answers invocations, one after another, until the process is ended. */
export async function runEngine(environment: Environment): Promise<never> {
  const client = createRuntimeClient(environment.AWS_LAMBDA_RUNTIME_API ?? "");
  let handler: Handler;
  try {
    handler = loadHandler(environment.LAMBDA_TASK_ROOT ?? "/var/task", environment._HANDLER ?? "");
  } catch (error) {
    console.error(error);
    await client.failInit(buildRuntimeError(error));
    process.exit(1);
  }
  for (;;) {
    const invocation = await client.next();
    process.env._X_AMZN_TRACE_ID = invocation.traceId;
    let body: string;
    try {
      const result = await handler(JSON.parse(invocation.event), buildContext(invocation, environment));
      body = JSON.stringify(result) ?? "null";
    } catch (error) {
      console.error(error);
      await client.fail(invocation.requestId, buildRuntimeError(error));
      continue;
    }
    await client.respond(invocation.requestId, body);
  }
}

/** @param name file and export: `app.handler` */
function loadHandler(taskRoot: string, name: string): Handler {
  const at = name.lastIndexOf(".");
  const [file, exported] = [name.slice(0, at), name.slice(at + 1)];
  const loaded = createRequire(join(taskRoot, "/"))(join(taskRoot, `${file}.js`)) as Record<string, unknown>;
  const handler = loaded[exported];
  if (typeof handler !== "function") {
    throw new Error(
      `${name} is not a function: ${file}.js exports ${Object.keys(loaded).join(", ") || "nothing"}`,
    );
  }
  return handler as Handler;
}

function buildContext(invocation: Invocation, environment: Environment): Context {
  const { deadlineMs, clientContext, identity } = invocation;
  return {
    awsRequestId: invocation.requestId,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME ?? "",
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION ?? "",
    invokedFunctionArn: invocation.functionArn,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? "",
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME ?? "",
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME ?? "",
    deadlineMs,
    ...(clientContext && { clientContext: JSON.parse(clientContext) }),
    ...(identity && { identity: JSON.parse(identity) }),
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}
