import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../../body.ts";
import { type Route, type ServiceContext, ServiceException } from "../../service.ts";
import type { Invoked, Invoker } from "../execution/invoker.ts";
import { type Functions, nameOf } from "../functions.ts";
import { payloadMaxBytes } from "../invoke-operation.ts";
import type { FunctionUrl, LambdaFunction } from "../model.ts";
import { isPublicUrlAllowed } from "../permission-operations.ts";
import {
  badGateway,
  parseUrlAnswer,
  splitStream,
  streamedContentType,
  type UrlAnswer,
} from "./url-answer.ts";
import { buildUrlEvent, functionUrlPrefix } from "./url-event.ts";

/** Function URLs over HTTP. */
export function createUrlRoute({ now }: ServiceContext, functions: Functions, invoker: Invoker): Route {
  function find(urlId: string): { fn: LambdaFunction; config: FunctionUrl } | undefined {
    for (const fn of functions.list()) {
      const config = fn.urls.find(({ id }) => id === urlId);
      if (config !== undefined) return { fn, config };
    }
    return undefined;
  }

  return async (request, response, url) => {
    const [urlId = ""] = url.pathname.slice(functionUrlPrefix.length).split("/");
    const body = await readBody(request);
    const found = find(urlId);
    if (found === undefined) return writeMessage(response, 404, "Not Found");
    const { fn, config } = found;
    if (!isAllowed(request, fn, config)) return writeMessage(response, 403, forbidden[config.authType]);
    const event = buildUrlEvent({ request, url, urlId, requestId: randomUUID(), body, nowMs: now() });
    const payload = Buffer.from(JSON.stringify(event));
    if (payload.length > payloadMaxBytes.RequestResponse) {
      return writeMessage(response, 413, "Request Entity Too Large");
    }
    const reference = { name: nameOf(fn), qualifier: config.qualifier };
    const stream = config.invokeMode === "RESPONSE_STREAM" ? new AnswerStream(response) : undefined;
    try {
      const invoked = await invoker.invoke(reference, {
        payload,
        ...(stream && { onChunk: (chunk: Buffer) => stream.write(chunk) }),
      });
      if (stream?.isBegun) stream.end(invoked);
      else writeAnswer(response, parseBuffered(invoked));
    } catch (error) {
      if (!(error instanceof ServiceException)) throw error;
      if (error.name === "TooManyRequestsException") return writeMessage(response, 429, error.message);
      writeAnswer(response, badGateway);
    }
  };
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html */
const forbidden = {
  NONE: "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
  AWS_IAM: "Forbidden",
};

function isAllowed(
  request: IncomingMessage,
  fn: LambdaFunction,
  { authType, qualifier }: FunctionUrl,
): boolean {
  if (authType === "NONE") return isPublicUrlAllowed(fn, qualifier);
  return request.headers.authorization?.startsWith("AWS4-HMAC-SHA256 ") ?? false;
}

function parseBuffered({ payload, contentType, functionError }: Invoked): UrlAnswer {
  if (functionError !== undefined) return badGateway;
  if (contentType !== streamedContentType) return parseUrlAnswer(payload);
  const streamed = splitStream(payload);
  return streamed === undefined ? badGateway : { ...streamed.head, body: streamed.rest };
}

function writeAnswer(response: ServerResponse, { statusCode, headers, body }: UrlAnswer): void {
  try {
    response.writeHead(statusCode, headers);
  } catch (error) {
    // A header that the function made can't be sent.
    if (!(error instanceof TypeError)) throw error;
    response.writeHead(badGateway.statusCode, badGateway.headers).end(badGateway.body);
    return;
  }
  response.end(body);
}

function writeMessage(response: ServerResponse, status: number, Message: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ Message }));
}

/** Hands a streamed answer on as it comes. */
class AnswerStream {
  readonly #response: ServerResponse;
  #held = Buffer.alloc(0);
  isBegun = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  write(chunk: Buffer): void {
    if (this.isBegun) {
      this.#response.write(chunk);
      return;
    }
    this.#held = Buffer.concat([this.#held, chunk]);
    const split = splitStream(this.#held);
    if (split === undefined) return;
    this.isBegun = true;
    this.#response.writeHead(split.head.statusCode, split.head.headers);
    this.#response.flushHeaders();
    if (split.rest.length > 0) this.#response.write(split.rest);
  }

  /** A failure in the middle can only cut the connection. */
  end({ functionError }: Invoked): void {
    if (functionError === undefined) this.#response.end();
    else this.#response.destroy();
  }
}
