import { EngineError } from "../runtime-api/runtime-error.ts";

type Lists = Readonly<Record<string, readonly string[] | undefined>>;
type Strings = Readonly<Record<string, string | undefined>>;

interface HttpEventBody {
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

/**
 * Of a function URL, and of an API Gateway HTTP API with payload format 2.0.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export interface HttpEventV2 extends HttpEventBody {
  readonly version: "2.0";
  readonly rawPath: string;
  readonly rawQueryString?: string;
  readonly cookies?: readonly string[];
  /** Values of a repeated header are joined with commas. */
  readonly headers?: Strings;
  readonly requestContext: { readonly domainName?: string; readonly http: { readonly method: string } };
}

/**
 * Of an API Gateway REST API, and of an HTTP API with payload format 1.0. Query parameters come decoded.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
 */
export interface HttpEventV1 extends HttpEventBody {
  readonly httpMethod: string;
  readonly path: string;
  readonly headers?: Strings | null;
  readonly multiValueHeaders?: Lists | null;
  readonly queryStringParameters?: Strings | null;
  readonly multiValueQueryStringParameters?: Lists | null;
  readonly requestContext: { readonly domainName?: string };
}

/**
 * Of an Application Load Balancer. Query parameters come as they were sent, encoded. Whether headers and parameters
 * come one by one or as lists is a setting of the target group, and the answer must be in the same form.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */
export interface HttpEventAlb extends Omit<HttpEventV1, "requestContext"> {
  readonly requestContext: { readonly elb: unknown };
}

export type HttpEvent =
  | { readonly kind: "v2"; readonly event: HttpEventV2 }
  | { readonly kind: "v1"; readonly event: HttpEventV1 }
  | { readonly kind: "alb"; readonly event: HttpEventAlb };

/** @throws EngineError where it is no HTTP event */
export function parseHttpEvent(event: unknown): HttpEvent {
  const found = findHttpEvent(event);
  if (found === undefined) {
    throw new EngineError(
      "Runtime.InvalidEvent",
      "the event is no HTTP request of a function URL, an API Gateway or a load balancer, which is all that fetch and Response can answer",
    );
  }
  return found;
}

export function findHttpEvent(event: unknown): HttpEvent | undefined {
  if (!isRecord(event) || !isRecord(event.requestContext)) return undefined;
  if (isRecord(event.requestContext.http) && typeof event.rawPath === "string") {
    return { kind: "v2", event: event as unknown as HttpEventV2 };
  }
  if (typeof event.httpMethod !== "string" || typeof event.path !== "string") return undefined;
  return "elb" in event.requestContext
    ? { kind: "alb", event: event as unknown as HttpEventAlb }
    : { kind: "v1", event: event as unknown as HttpEventV1 };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
