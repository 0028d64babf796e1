import type { Invocation } from "../runtime-api/runtime-client.ts";
import { EngineError } from "../runtime-api/runtime-error.ts";

/**
 * What a handler learns about its invocation, beside the event.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
export interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  /** As Lambda gives it: a number in a string. */
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Epoch milliseconds at which the invocation is ended. */
  readonly deadlineMs: number;
  /** `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…;Sampled=1` */
  readonly traceId?: string;
  /** Who the caller's Cognito identity is: of the mobile SDKs. */
  readonly identity?: unknown;
  /** What the caller passed on as its client context. */
  readonly clientContext?: unknown;
  /** Of functions that isolate their tenants. */
  readonly tenantId?: string;
  getRemainingTimeInMillis(): number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is the same for every invocation of an environment. */
export function buildContextTemplate(environment: Environment) {
  return {
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME ?? "",
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION ?? "",
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? "",
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME ?? "",
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME ?? "",
  };
}

export type ContextTemplate = ReturnType<typeof buildContextTemplate>;

/** @throws EngineError where client context or identity are not JSON */
export function buildContext(template: ContextTemplate, invocation: Invocation): Context {
  const { requestId, functionArn, deadlineMs, traceId, tenantId, clientContext, cognitoIdentity } =
    invocation;
  return {
    ...template,
    awsRequestId: requestId,
    invokedFunctionArn: functionArn,
    deadlineMs,
    ...(traceId !== undefined && { traceId }),
    ...(tenantId !== undefined && { tenantId }),
    ...(clientContext && { clientContext: parseHeader("client context", clientContext) }),
    ...(cognitoIdentity && { identity: parseHeader("Cognito identity", cognitoIdentity) }),
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function parseHeader(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new EngineError("Runtime.UnmarshalError", `the ${name} is not JSON: ${json}`, { cause });
  }
}
