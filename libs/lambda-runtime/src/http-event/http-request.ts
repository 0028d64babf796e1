import type { HttpEvent, HttpEventAlb, HttpEventV1, HttpEventV2 } from "./http-event.ts";

/** The request that the event was made from: nothing of it is split, joined or decoded that was not before. */
export function buildRequest(source: HttpEvent): Request {
  const { event } = source;
  const headers = source.kind === "v2" ? readHeadersV2(source.event) : readHeaderLists(source.event);
  const host = headers.get("host") ?? readDomainName(source) ?? "localhost";
  const scheme = headers.get("x-forwarded-proto") ?? "https";
  const method = source.kind === "v2" ? source.event.requestContext.http.method : source.event.httpMethod;
  return new Request(`${scheme}://${host}${readTarget(source)}`, {
    method,
    headers,
    body: readBody(method, event),
  });
}

function readTarget(source: HttpEvent): string {
  if (source.kind === "v2") {
    const { rawPath, rawQueryString } = source.event;
    return rawQueryString ? `${rawPath}?${rawQueryString}` : rawPath;
  }
  const { path } = source.event;
  // A path can come decoded; these two would end it.
  const escapedPath = path.replaceAll("?", "%3F").replaceAll("#", "%23");
  const encode = source.kind === "alb" ? (text: string) => text : encodeURIComponent;
  const query = readQuery(source.event).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return query.length === 0 ? escapedPath : `${escapedPath}?${query.join("&")}`;
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
  for (const [name, value] of Object.entries(strings ?? {})) headers.append(name, toByteString(value ?? ""));
  if (cookies !== undefined && cookies.length > 0) headers.set("cookie", toByteString(cookies.join("; ")));
  return headers;
}

function readHeaderLists({ multiValueHeaders, headers: strings }: HttpEventV1 | HttpEventAlb): Headers {
  const headers = new Headers();
  const lists = multiValueHeaders ?? {};
  for (const [name, values] of Object.entries(lists)) {
    for (const value of values ?? []) headers.append(name, toByteString(value));
  }
  for (const [name, value] of Object.entries(multiValueHeaders ? {} : (strings ?? {}))) {
    headers.append(name, toByteString(value ?? ""));
  }
  return headers;
}

/** A header of a Request holds bytes; what is not ASCII came as UTF-8. */
function toByteString(value: string): string {
  return /[\u0100-\uffff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
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
