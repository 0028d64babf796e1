import type { InvocationStore } from "./invocation-store.ts";

/**
 * What the AWS SDK asks for the trace id of the running invocation: `globalThis.awslambda.InvokeStore`.
 * @see https://github.com/aws/aws-lambda-invoke-store
 */
export function buildInvokeStore(store: InvocationStore) {
  return {
    hasContext: () => store.current() !== undefined,
    getRequestId: () => store.current()?.awsRequestId ?? "-",
    getXRayTraceId: () => store.current()?.traceId,
    getTenantId: () => store.current()?.tenantId,
  };
}
