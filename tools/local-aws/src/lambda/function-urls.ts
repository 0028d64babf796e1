import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export const functionUrlPrefix = "/function-urls/";

/**
 * The event of a function URL: payload format 2.0.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export function buildUrlEvent(
  request: IncomingMessage,
  url: URL,
  urlId: string,
  _accountId: string,
  body: Buffer,
): object {
  const rawPath = url.pathname.slice(functionUrlPrefix.length + urlId.length) || "/";
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name !== "cookie" && value !== undefined) headers[name] = [value].flat().join(",");
  }
  const query: Record<string, string> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name).join(",");
  const isText = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded))/.test(
    headers["content-type"] ?? "text/plain",
  );
  const nowMs = Date.now();
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: url.search.slice(1),
    ...(request.headers.cookie && { cookies: request.headers.cookie.split("; ") }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: urlId,
      domainName: request.headers.host,
      domainPrefix: urlId,
      http: {
        method: request.method,
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: new Date(nowMs).toISOString(),
      timeEpoch: nowMs,
    },
    ...(body.length > 0 && { body: body.toString(isText ? "utf8" : "base64") }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

interface UrlAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** A function's answer as HTTP: an object with a status code says so itself, everything else is a JSON body. */
export function writeUrlAnswer(response: ServerResponse, payload: string): void {
  const parsed = parseJson(payload);
  const isAnswer = typeof parsed === "object" && parsed !== null && "statusCode" in parsed;
  if (!isAnswer) {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(typeof parsed === "string" ? parsed : payload);
    return;
  }
  const {
    statusCode = 200,
    headers = {},
    cookies = [],
    body = "",
    isBase64Encoded = false,
  } = parsed as UrlAnswer;
  writeHead(response, { statusCode, headers, cookies });
  response.end(Buffer.from(body, isBase64Encoded ? "base64" : "utf8"));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function writeHead(
  response: ServerResponse,
  { statusCode = 200, headers = {}, cookies = [] }: UrlAnswer,
): void {
  response.writeHead(statusCode, {
    "content-type": "application/json",
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    ...(cookies.length > 0 && { "set-cookie": [...cookies] }),
  });
}

const preludeEnd = Buffer.alloc(8);

/** Writes a streamed answer piece by piece; a JSON prelude that ends with eight zero bytes has status and headers. */
export class StreamedAnswer {
  readonly #response: ServerResponse;
  #held: Buffer | undefined = Buffer.alloc(0);

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Whether anything has been sent: a failure after it can only cut the connection. */
  get begun(): boolean {
    return this.#held === undefined;
  }

  write(chunk: Buffer): void {
    if (this.#held === undefined) {
      this.#response.write(chunk);
      return;
    }
    this.#held = Buffer.concat([this.#held, chunk]);
    if (this.#held[0] !== 0x7b) {
      this.#begin({ headers: { "content-type": "application/octet-stream" } }, this.#held);
      return;
    }
    const at = this.#held.indexOf(preludeEnd);
    if (at < 0) return;
    const prelude = JSON.parse(this.#held.subarray(0, at).toString()) as UrlAnswer;
    this.#begin(prelude, this.#held.subarray(at + preludeEnd.length));
  }

  end(): void {
    if (this.#held !== undefined) this.#begin({}, this.#held);
    this.#response.end();
  }

  #begin(head: UrlAnswer, first: Buffer): void {
    this.#held = undefined;
    writeHead(this.#response, head);
    if (first.length > 0) this.#response.write(first);
  }
}
