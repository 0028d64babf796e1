import type { HttpEvent, HttpEventAlb, HttpEventV1, HttpEventV2 } from "./http-event.ts";

/**
 * The request that the event was made from: nothing of it is split, joined or decoded that was not before. Whatever a
 * client sends makes a request: what a Request can't hold is left out or replaced.
 */
export function buildRequest(source: HttpEvent): Request {
  const { event } = source;
  const headers = source.kind === "v2" ? readHeadersV2(source.event) : readHeaderLists(source.event);
  const method = source.kind === "v2" ? source.event.requestContext.http.method : source.event.httpMethod;
  return new Request(`${readScheme(headers)}://${readHost(headers, source)}${readTarget(source)}`, {
    method,
    headers,
    body: readBody(method, event),
  });
}

/** Each proxy on the way adds its own at the end. */
function readScheme(headers: Headers): "http" | "https" {
  const [first] = (headers.get("x-forwarded-proto") ?? "").split(",");
  return first === "http" ? first : "https";
}

function readHost(headers: Headers, source: HttpEvent): string {
  const host = headers.get("host");
  return host !== null && isHost(host) ? host : (readDomainName(source) ?? "localhost");
}

/** Whether it is a host or host:port. What has only these characters can be nothing else where it is part of a URL. */
function isHost(text: string): boolean {
  return /^[\w.:[\]-]+$/.test(text) && URL.canParse(`https://${text}`);
}

function readTarget(source: HttpEvent): string {
  const path = escapePath(source.kind === "v2" ? source.event.rawPath : source.event.path);
  // What comes as it was sent can still hold what would end it.
  const query = joinQuery(source).replaceAll("#", "%23");
  return query === "" ? path : `${path}?${query}`;
}

/** A path can come decoded. A URL would end it at some characters, and drop or change others. */
function escapePath(path: string): string {
  const escaped = path.replace(/%(?![\da-f]{2})|[\0- ?#\\]/gi, encodeURIComponent);
  return escaped.startsWith("/") ? escaped : `/${escaped}`;
}

function joinQuery(source: HttpEvent): string {
  if (source.kind === "v2") return source.event.rawQueryString ?? "";
  const encode = source.kind === "alb" ? (text: string) => text : encodeURIComponent;
  return readQuery(source.event)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
}

function readQuery(event: HttpEventV1 | HttpEventAlb): [string, string][] {
  const { multiValueQueryStringParameters: lists, queryStringParameters: strings } = event;
  if (lists)
    return Object.entries(lists).flatMap(([name, values]) => (values ?? []).map((v) => pair(name, v)));
  return Object.entries(strings ?? {}).map(([name, value]) => pair(name, value ?? ""));
}

const pair = (name: string, value: string): [string, string] => [name, value];

function readHeadersV2({ headers: strings, cookies }: HttpEventV2): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(strings ?? {})) appendField(headers, name, value);
  if (cookies !== undefined && cookies.length > 0) {
    headers.delete("cookie");
    appendField(headers, "cookie", cookies.join("; "));
  }
  return headers;
}

function readHeaderLists({ multiValueHeaders, headers: strings }: HttpEventV1 | HttpEventAlb): Headers {
  const headers = new Headers();
  const lists = multiValueHeaders ?? {};
  for (const [name, values] of Object.entries(lists)) {
    for (const value of values ?? []) appendField(headers, name, value);
  }
  for (const [name, value] of Object.entries(multiValueHeaders ? {} : (strings ?? {}))) {
    appendField(headers, name, value);
  }
  return headers;
}

/** Leaves out what Headers refuse, such as `x[y]`, which load balancers let through. */
function appendField(headers: Headers, name: string, value = ""): void {
  try {
    headers.append(name, toByteString(value));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/** A header of a Request holds bytes; what is not ASCII came as UTF-8. */
function toByteString(value: string): string {
  return /[\u0080-\uffff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

function readDomainName({ kind, event }: HttpEvent): string | undefined {
  return kind === "alb" ? undefined : event.requestContext.domainName;
}

function readBody(
  method: string,
  { body, isBase64Encoded }: { readonly body?: string | null; readonly isBase64Encoded?: boolean },
): Uint8Array<ArrayBuffer> | string | null {
  // A Request of these methods can have no body.
  if (method === "GET" || method === "HEAD" || body === undefined || body === null) return null;
  return isBase64Encoded ? Buffer.from(body, "base64") : body;
}
