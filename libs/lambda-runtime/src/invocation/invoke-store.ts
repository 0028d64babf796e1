import type { Context } from "../handler/context.ts";
import type { InvocationStore } from "./invocation-store.ts";

/** What is kept for an invocation: Lambda's own values under the symbols below, an app's under any other key. */
type Values = Record<PropertyKey, unknown>;

/** What only the runtime sets. The package knows the last three, of W3C tracing; Lambda has no headers for them yet. */
const buildProtectedKeys = () => ({
  requestId: Symbol.for("_AWS_LAMBDA_REQUEST_ID"),
  traceId: Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID"),
  tenantId: Symbol.for("_AWS_LAMBDA_TENANT_ID"),
  traceparent: Symbol.for("_AWS_LAMBDA_TRACEPARENT"),
  tracestate: Symbol.for("_AWS_LAMBDA_TRACESTATE"),
  baggage: Symbol.for("_AWS_LAMBDA_BAGGAGE"),
});

/**
 * `globalThis.awslambda.InvokeStore`, as the package `@aws/lambda-invoke-store` takes it from a runtime: where the AWS
 * SDK finds the running invocation's trace id, and Powertools keeps what belongs to one invocation. To be made when it
 * is first asked for: few apps do, and all of them wait for the start.
 *
 * @see https://github.com/aws/aws-lambda-invoke-store
 */
export function buildInvokeStore(store: InvocationStore) {
  const protectedKeys = buildProtectedKeys();
  const valuesOf = new WeakMap<Context, Values>();

  const getContext = (): Values | undefined => {
    const context = store.current();
    if (context === undefined) return undefined;
    let values = valuesOf.get(context);
    if (values === undefined) {
      values = {
        [protectedKeys.requestId]: context.awsRequestId,
        [protectedKeys.traceId]: context.traceId,
        [protectedKeys.tenantId]: context.tenantId,
      };
      valuesOf.set(context, values);
    }
    return values;
  };
  const get = (key: PropertyKey): unknown => getContext()?.[key];

  return {
    getContext,
    hasContext: () => store.current() !== undefined,
    get,
    /** @throws Error outside of an invocation, and for the keys that only the runtime sets */
    set(key: PropertyKey, value: unknown): void {
      if (Object.values<PropertyKey>(protectedKeys).includes(key))
        throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
      const values = getContext();
      if (values === undefined) throw new Error(`No invocation to keep ${String(key)} for`);
      values[key] = value;
    },
    /** Runs it with other values; the log goes on to name the invocation. */
    run<T>(values: Values, work: () => T): T {
      const context = { ...(store.current() as Context) };
      valuesOf.set(context, values);
      return store.run(context, work);
    },
    getRequestId: () => get(protectedKeys.requestId) ?? "-",
    getXRayTraceId: () => get(protectedKeys.traceId),
    getTenantId: () => get(protectedKeys.tenantId),
    getTraceparent: () => get(protectedKeys.traceparent),
    getTracestate: () => get(protectedKeys.tracestate),
    getBaggage: () => get(protectedKeys.baggage),
  };
}
