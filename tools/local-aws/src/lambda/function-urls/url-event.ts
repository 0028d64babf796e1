import type { IncomingMessage } from "node:http";

/** Every function has its host name on AWS; here it is a folder of this server's paths. */
export const functionUrlPrefix = "/function-urls/";

export interface UrlEventProps {
  readonly request: Pick<IncomingMessage, "method" | "headers">;
  readonly url: URL;
  readonly urlId: string;
  readonly requestId: string;
  readonly body: Buffer;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/**
 * A request to a function URL as an event: payload format 2.0.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export function buildUrlEvent({ request, url, urlId, requestId, body, nowMs }: UrlEventProps): object {
  const rawPath = url.pathname.slice(functionUrlPrefix.length + urlId.length) || "/";
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name === "cookie" || value === undefined ? [] : [[name, [value].flat().join(",")]],
    ),
  );
  const query = Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => [name, url.searchParams.getAll(name).join(",")]),
  );
  const isBase64Encoded = body.length > 0 && !isText(headers["content-type"]);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: url.search.slice(1),
    ...(request.headers.cookie !== undefined && { cookies: request.headers.cookie.split("; ") }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: urlId,
      domainName: headers.host,
      domainPrefix: urlId,
      http: {
        method: request.method,
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: "127.0.0.1",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey: "$default",
      stage: "$default",
      time: formatTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? "base64" : "utf8") }),
    isBase64Encoded,
  };
}

function isText(contentType = ""): boolean {
  return /^(text\/|application\/(json|javascript|xml)\b|[^;]+\+(json|xml)\b)/.test(contentType);
}

/** `25/Nov/2026:08:30:00 +0000` */
function formatTime(nowMs: number): string {
  const [, day, month, year, time] = new Date(nowMs).toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
