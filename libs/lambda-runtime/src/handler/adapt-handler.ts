import { parseHttpEvent } from "../http-event/http-event.ts";
import { buildRequest } from "../http-event/http-request.ts";
import { buildHttpResult } from "../http-event/http-result.ts";
import type { StreamedResult } from "../runtime-api/runtime-client.ts";
import { EngineError } from "../runtime-api/runtime-error.ts";
import { isAwsStreaming, runAwsStreaming } from "../streaming/aws-response-stream.ts";
import { isPieces, streamPieces, streamWebResponse } from "../streaming/streamed-result.ts";
import type { Context } from "./context.ts";
import { type FetchApp, type Handler, isStreaming } from "./handler.ts";

/** JSON, or a result that is sent while it is made. */
export type Result = string | StreamedResult;

/** An app's handler of whichever kind, in the one form that the engine calls. */
export type Invoke = (event: unknown, context: Context) => Result | Promise<Result>;

/** @param name of the handler, for messages. @throws EngineError `Runtime.HandlerNotFound`, `Runtime.CallbackHandlerDeprecated` */
export function adaptHandler(handler: unknown, name: string): Invoke {
  if (typeof handler === "function") {
    if (isAwsStreaming(handler)) return (event, context) => runAwsStreaming(handler, event, context);
    refuseCallback(handler, name);
    return adaptFunction(handler as Handler, isStreaming(handler));
  }
  if (isFetchApp(handler)) {
    return adaptFunction((event, context) => fetchResponse(handler, event, context), isStreaming(handler));
  }
  throw new EngineError(
    "Runtime.HandlerNotFound",
    `${name} is neither a function nor an object with the method fetch`,
  );
}

/** @throws EngineError `Runtime.InvalidEvent`, `Runtime.InvalidResponse` */
async function fetchResponse(app: FetchApp, event: unknown, lambdaContext: Context): Promise<Response> {
  const source = parseHttpEvent(event);
  const { requestContext } = source.event;
  const response = await app.fetch(buildRequest(source), { event, requestContext, lambdaContext });
  if (response instanceof Response) return response;
  throw new EngineError(
    "Runtime.InvalidResponse",
    `fetch answered with ${typeof response}, not with a Response`,
  );
}

function adaptFunction(handler: Handler, streaming: boolean): Invoke {
  return async (event, context) => {
    const value = await handler(event, context);
    if (value instanceof Response) {
      return streaming
        ? streamWebResponse(value)
        : stringify(await buildHttpResult(parseHttpEvent(event), value));
    }
    return isPieces(value) ? streamPieces(value) : stringify(value);
  };
}

/** @throws EngineError `Runtime.MarshalError` */
function stringify(value: unknown): string {
  try {
    // JSON has no undefined; Lambda's own clients say null instead.
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("Runtime.MarshalError", `the result can't be written as JSON: ${reason}`, {
      cause,
    });
  }
}

export function isHandler(value: unknown): boolean {
  return typeof value === "function" || isFetchApp(value);
}

function isFetchApp(value: unknown): value is FetchApp {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html#nodejs-handler-callback */
function refuseCallback(handler: { readonly length: number }, name: string): void {
  if (handler.length < 3) return;
  throw new EngineError(
    "Runtime.CallbackHandlerDeprecated",
    `${name} takes a callback; return the result or a promise of it instead`,
  );
}
