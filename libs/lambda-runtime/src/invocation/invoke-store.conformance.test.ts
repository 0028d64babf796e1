import { describe, expect, it } from "vitest";
import { json, start } from "../testing/conformance.ts";

describe.each([
  ["one invocation at a time", 1],
  ["several at once", 4],
])("awslambda.InvokeStore with %s", (_what, concurrency) => {
  const environment = { AWS_LAMBDA_MAX_CONCURRENCY: String(concurrency) };

  it("keeps what belongs to one invocation", async () => {
    const { api } = await start(
      `
      const store = (globalThis as any).awslambda.InvokeStore;
      const key = Symbol("of the app");
      let waiting: (() => void)[] = [];
      export const handler = async (event: number, context: any) => {
        const before = store.get(key) ?? "unset";
        store.set(key, event);
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === ${concurrency}) { for (const go of waiting) go(); waiting = []; }
        });
        const symbol = Symbol.for("_AWS_LAMBDA_REQUEST_ID");
        return [store.hasContext(), before, store.get(key), store.getContext()[key],
          store.getRequestId() === context.awsRequestId, store.get(symbol) === context.awsRequestId,
          store.getXRayTraceId(), store.getTenantId(), store.getTraceparent() ?? "none", store.getTracestate() ?? "none", store.getBaggage() ?? "none"];
      };
    `,
      { environment },
    );
    for (let round = 0; round < 2; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: concurrency }, (_, event) =>
          api.invoke(event, {
            headers: {
              "Lambda-Runtime-Trace-Id": `Root=${event}`,
              "Lambda-Runtime-Aws-Tenant-Id": `t-${event}`,
            },
          }),
        ),
      );
      for (const [event, outcome] of outcomes.entries()) {
        const nothing = ["none", "none", "none"];
        expect(json(outcome)).toEqual([
          true,
          "unset",
          event,
          event,
          true,
          true,
          `Root=${event}`,
          `t-${event}`,
          ...nothing,
        ]);
      }
    }
  });

  it("keeps nothing outside of an invocation, and Lambda's own values from being changed", async () => {
    const { api } = await start(
      `
      const store = (globalThis as any).awslambda.InvokeStore;
      const attempt = (key: PropertyKey) => { try { store.set(key, 1); return "set"; } catch (error: any) { return error.message; } };
      const atStart = [store.hasContext(), store.getContext() ?? "none", store.getRequestId(), store.get("key") ?? "unset", attempt("key")];
      export const handler = () => [atStart, attempt(Symbol.for("_AWS_LAMBDA_TENANT_ID")), attempt("key")];
    `,
      { environment },
    );
    expect(json(await api.invoke({}))).toEqual([
      [false, "none", "-", "unset", "No invocation to keep key for"],
      "Cannot modify protected Lambda context field: Symbol(_AWS_LAMBDA_TENANT_ID)",
      "set",
    ]);
  });

  it("names no invocation once it has been answered", async () => {
    const { api, process, wrote, output } = await start(
      `
      const store = (globalThis as any).awslambda.InvokeStore;
      process.on("SIGUSR2", () => console.log("between:", store.hasContext(), store.getRequestId()));
      export const handler = () => "done";
    `,
      { environment },
    );
    await api.invoke({});
    await api.until(() => api.waiting === concurrency);
    process.kill("SIGUSR2");
    await wrote(/between:/);
    expect(output()).toMatch(/\t-\tINFO\tbetween: false -\n/);
  });

  it("runs work with values of its own, whose log is still the invocation's", async () => {
    const { api, wrote } = await start(
      `
      const store = (globalThis as any).awslambda.InvokeStore;
      export const handler = () => store.run({ [Symbol.for("_AWS_LAMBDA_X_RAY_TRACE_ID")]: "Root=other", key: 1 }, async () => {
        await Bun.sleep(1);
        console.log("inside");
        return [store.getXRayTraceId(), store.get("key"), store.getRequestId()];
      });
    `,
      { environment },
    );
    const outcome = await api.invoke({}, { headers: { "Lambda-Runtime-Trace-Id": "Root=1" } });
    expect(json(outcome)).toEqual(["Root=other", 1, "-"]);
    await wrote(new RegExp(`${outcome.requestId}\tINFO\tinside\n`));
  });
});
