import type { Context } from "./context.ts";

/**
 * What an app exports. What it returns becomes the result, as JSON; an async iterable or a `ReadableStream` is
 * streamed; a `Response` becomes the answer to an HTTP event. What it throws fails the invocation.
 */
export type Handler<E = unknown, R = unknown> = (event: E, context: Context) => R | Promise<R>;

/** What `fetch` learns beside the request: as Hono's adapter for Lambda calls it, so that `c.env` is the same. */
export interface FetchEnvironment {
  /** The event that the request was made from. */
  readonly event: unknown;
  /** Of the event: the authorizer's claims, the caller's identity, … */
  readonly requestContext: unknown;
  readonly lambdaContext: Context;
}

/** A Web-standard app, as Bun and Hono export it: `export default { fetch(request) { … } }`. */
export interface FetchApp {
  fetch(request: Request, environment: FetchEnvironment): Response | Promise<Response>;
}

const streaming = Symbol.for("@workspace/lambda-runtime/streaming");

/**
 * Marks a handler or an app whose `Response` is sent while it is made. It must then be called in the mode
 * `RESPONSE_STREAM`: a caller in the mode `BUFFERED` would get the framing as part of the body.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
 */
export function streamResponse<H extends Handler<never> | FetchApp>(handler: H): H {
  return Object.assign(handler, { [streaming]: true });
}

export function isStreaming(handler: object): boolean {
  return streaming in handler;
}
