import type { IncomingHttpHeaders } from "node:http";

/** Which protocol the caller of a request expects its errors in. */
export type Protocol = "json" | "query" | "rest-json" | "rest-xml" | "registry";

/** An API call as the proxy sees it go by. */
export interface CallName {
  readonly protocol: Protocol;
  /** Service and operation, or method and path: `ssm PutParameter`, `lambda PUT /functions/x/code`. */
  readonly name: string;
}

/**
 * Names a request by what the wire shows: the target header, the `Action` of a form, or the path.
 * @param body the request's body; only forms are read
 */
export function parseCallName(
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): CallName {
  const path = new URL(url, "http://localhost").pathname;
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const [service = "", operation = ""] = target.split(".");
    return { protocol: "json", name: `${service.replace(/_.*$/, "")} ${operation}` };
  }
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
    return { protocol: "query", name: `query ${new URLSearchParams(body.toString()).get("Action")}` };
  }
  if (path.startsWith("/v2/"))
    return { protocol: "registry", name: `registry ${method} ${withoutIds(path)}` };
  if (/^\/20\d\d-\d\d-\d\d\//.test(path))
    return { protocol: "rest-json", name: `lambda ${method} ${path.slice(11)}` };
  return { protocol: "rest-xml", name: `s3 ${method} ${path}` };
}

/** Upload sessions have an id of their own each time; digests stay. */
function withoutIds(path: string): string {
  return path.replace(/(\/blobs\/uploads\/).+$/, "$1*");
}

/** An error that stands for the call: refused (not worth a retry) or throttled (worth one). */
export function buildErrorAnswer(
  protocol: Protocol,
  kind: "error" | "throttle",
): { status: number; headers: Record<string, string>; body: string } {
  const code = kind === "error" ? "AccessDeniedException" : "ThrottlingException";
  const message = kind === "error" ? "refused by the fault proxy" : "Rate exceeded";
  const status = kind === "error" ? 403 : 429;
  switch (protocol) {
    case "json":
      return answer(400, "application/x-amz-json-1.1", JSON.stringify({ __type: code, message }));
    case "rest-json":
      return answer(status, "application/json", JSON.stringify({ message }), { "x-amzn-errortype": code });
    case "query":
      return answer(
        status,
        "text/xml",
        `<ErrorResponse><Error><Type>Sender</Type><Code>${kind === "error" ? "AccessDenied" : "Throttling"}</Code><Message>${message}</Message></Error><RequestId>fault</RequestId></ErrorResponse>`,
      );
    case "rest-xml":
      return answer(
        kind === "error" ? 403 : 503,
        "application/xml",
        `<Error><Code>${kind === "error" ? "AccessDenied" : "SlowDown"}</Code><Message>${message}</Message></Error>`,
      );
    case "registry": {
      const errors = [{ code: kind === "error" ? "DENIED" : "TOOMANYREQUESTS", message }];
      return answer(status, "application/json", JSON.stringify({ errors }));
    }
  }
}

function answer(status: number, contentType: string, body: string, more: Record<string, string> = {}) {
  return { status, headers: { "content-type": contentType, ...more }, body };
}
