import type { Handler } from "@workspace/lambda-runtime";

/** The event of a function URL or of an API Gateway HTTP API, as far as this app reads it. */
interface HttpEvent {
  readonly rawPath: string;
  readonly requestContext: { readonly http: { readonly method: string } };
}

interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Which build answers; it stays the same for as long as the bundle does. The bundler puts it in. */
const build = process.env.BUILD_ID ?? "unbundled";

export const handler: Handler<HttpEvent, HttpResponse> = ({ rawPath, requestContext }) => {
  const { method } = requestContext.http;
  if (method !== "GET" && method !== "HEAD") return respond(405, { error: `${method} is not allowed` });
  switch (rawPath) {
    case "/":
      return respond(200, { message: "Hello from Lambda", build });
    case "/health":
      return respond(200, { status: "ok", build });
    default:
      return respond(404, { error: `no such path: ${rawPath}` });
  }
};

function respond(statusCode: number, body: object): HttpResponse {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
