import type { HttpEvent } from "./http-event.ts";
import { addContentType, readHead } from "./response-head.ts";

/** What a function answers an HTTP event with; which fields it has is up to the event's kind. */
export interface HttpResult {
  readonly statusCode: number;
  readonly statusDescription?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly cookies?: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** The response in the form that the sender of the event takes. */
export async function buildHttpResult(source: HttpEvent, response: Response): Promise<HttpResult> {
  const statusCode = response.status;
  const { headers: named, cookies } = readHead(response);
  const bytes = Buffer.from(await response.arrayBuffer());
  const body = encodeBody(bytes);
  const headers = bytes.length === 0 ? named : addContentType(named, !body.isBase64Encoded);
  if (source.kind === "v2") {
    return { statusCode, headers, ...(cookies.length > 0 && { cookies }), ...body };
  }
  const status = {
    statusCode,
    ...(source.kind === "alb" && { statusDescription: await describe(response) }),
  };
  if (source.kind === "alb" && !source.event.multiValueHeaders) {
    return { ...status, headers: { ...headers, ...spellCookies(cookies) }, ...body };
  }
  const lists: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) lists[name] = [value];
  if (cookies.length > 0) lists["set-cookie"] = cookies;
  return { ...status, multiValueHeaders: lists, ...body };
}

/**
 * Text goes as it is; bytes that are no UTF-8 go as base64, whatever type the response says it has. An import of
 * the module would take half a millisecond of every start.
 */
function encodeBody(bytes: Buffer): { body: string; isBase64Encoded: boolean } {
  return process.getBuiltinModule("node:buffer").isUtf8(bytes)
    ? { body: bytes.toString("utf8"), isBase64Encoded: false }
    : { body: bytes.toString("base64"), isBase64Encoded: true };
}

/** `200 OK`: the form that load balancers take. */
async function describe({ status, statusText }: Response): Promise<string> {
  const { STATUS_CODES } = await import("node:http");
  return `${status} ${statusText || STATUS_CODES[status] || ""}`.trimEnd();
}

/**
 * A load balancer without multi-value headers takes one value for each name, yet cookies can't be joined. Spelled in
 * different cases they are several names in the result, and one to the browser.
 */
function spellCookies(cookies: readonly string[]): Record<string, string> {
  return Object.fromEntries(cookies.map((cookie, index) => [spell("set-cookie", index), cookie]));
}

/** The `index`th spelling of a name in lower and upper case. */
function spell(name: string, index: number): string {
  let bits = index;
  return name.replace(/[a-z]/g, (letter) => {
    const upper = bits % 2 === 1;
    bits = Math.floor(bits / 2);
    return upper ? letter.toUpperCase() : letter;
  });
}
