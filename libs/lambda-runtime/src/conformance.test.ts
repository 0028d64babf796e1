import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { json, start } from "./testing/conformance.ts";

describe("results", () => {
  it("are JSON, whatever the event holds", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    for (const event of [{ a: [1, "ü€😀\u2028\0"] }, null, "text", 0, [], true]) {
      const outcome = await api.invoke(event);
      expect(outcome.kind).toBe("response");
      expect(json(outcome)).toEqual(event);
    }
  });

  it("are null where a handler returns nothing", async () => {
    const { api } = await start("export const handler = async () => {};");
    expect((await api.invoke({})).body.toString()).toBe("null");
  });

  it.each([
    ["a cycle", "const a: unknown[] = []; a.push(a); return a;"],
    ["a BigInt", "return { big: 1n };"],
    ["toJSON that throws", "return { toJSON() { throw new Error('no'); } };"],
  ])("that hold %s fail the invocation, and only that", async (_what, body) => {
    const { api } = await start(
      `export const handler = (event: { bad: boolean }) => { if (event.bad) { ${body} } return "good"; };`,
    );
    const outcome = await api.invoke({ bad: true });
    expect(outcome.kind).toBe("error");
    expect(json(outcome).errorType).toBe("Runtime.MarshalError");
    expect(json(await api.invoke({ bad: false }))).toBe("good");
  });

  it("that are larger than Lambda takes are reported on the same invocation", async () => {
    const { api } = await start('export const handler = (n: number) => "x".repeat(n);');
    const outcome = await api.invoke(7_000_000, { responseStatus: 413 });
    expect(outcome.kind).toBe("error");
    expect(json(outcome)).toMatchObject({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "the result is larger than Lambda takes: 7000002 bytes",
    });
    expect(json(await api.invoke(3))).toBe("xxx");
  });

  it("that the Runtime API refuses don't end the loop", async () => {
    const { api, wrote } = await start("export const handler = (event: unknown) => event;");
    await api.invoke(1, { responseStatus: 403 });
    expect(json(await api.invoke(2))).toBe(2);
    await wrote(/The Runtime API refused the result/);
  });

  it.each(["response", "error"])("belong to one attempt: %s", async (kind) => {
    const { api } = await start(
      "export const handler = (event: string) => { if (event === 'error') throw new Error('no'); return event; };",
    );
    const attempt = await api.invoke(kind, { headers: { "Lambda-Runtime-Invocation-Id": "attempt-2" } });
    expect([attempt.kind, attempt.headers["lambda-runtime-invocation-id"]]).toEqual([kind, "attempt-2"]);
    const without = await api.invoke(kind);
    expect(without.headers).not.toHaveProperty("lambda-runtime-invocation-id");
  });

  it("of an attempt that had timed out are refused, which doesn't end the loop", async () => {
    const { api, wrote } = await start("export const handler = (event: unknown) => event;");
    await api.invoke(1, { responseStatus: 410, headers: { "Lambda-Runtime-Invocation-Id": "attempt-1" } });
    expect(json(await api.invoke(2))).toBe(2);
    await wrote(/The Runtime API refused the result/);
  });

  it("end the process where the Runtime API has a fault of its own", async () => {
    const { api, exited } = await start("export const handler = (event: unknown) => event;");
    await api.invoke(1, { responseStatus: 500 });
    expect(await exited).toEqual({ code: 1, signal: null });
  });
});

describe("the connection", () => {
  it("is one for all invocations", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    for (let n = 0; n < 20; n += 1) expect(json(await api.invoke(n))).toBe(n);
    expect(api.connections).toBe(1);
  });

  it.each(["chunked", "bytewise"] as const)("takes events that come %s", async (framing) => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    const event = { text: "ü€😀".repeat(800) };
    expect(json(await api.invoke(event, { framing }))).toEqual(event);
    expect(api.connections).toBe(1);
  });

  it("is made again where the server closes it", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    for (let n = 0; n < 5; n += 1) expect(json(await api.invoke(n, { closing: true }))).toBe(n);
    expect(api.connections).toBeGreaterThan(5);
  });

  it("carries 6 MB both ways", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    const event = "ü".repeat(3_000_000);
    expect(json(await api.invoke(event))).toBe(event);
  });

  it("ends the process where there is nothing at its other end any more", async () => {
    const { api, exited } = await start("export const handler = (event: unknown) => event;");
    await api.until(() => api.waiting === 1);
    await api.stop();
    expect((await exited).code).toBe(1);
  });
});

describe("errors", () => {
  it("are reported with type, message, stack and cause, and the loop goes on", async () => {
    const { api } = await start(`
      class QuotaError extends Error { override name = "QuotaError"; }
      export const handler = (event: string) => { if (event === "fail") throw new QuotaError("ü none left"); return event; };
    `);
    const outcome = await api.invoke("fail");
    expect(outcome.kind).toBe("error");
    expect(outcome.headers["lambda-runtime-function-error-type"]).toBe("Function.QuotaError");
    expect(json(outcome)).toEqual({
      errorType: "QuotaError",
      errorMessage: "ü none left",
      stackTrace: expect.arrayContaining([expect.stringMatching(/^at handler \(.*app\.js:\d+/)]),
    });
    const cause = JSON.parse(String(outcome.headers["lambda-runtime-function-xray-error-cause"]));
    expect(cause.exceptions[0]).toMatchObject({ type: "QuotaError", message: "ü none left" });
    expect(cause.exceptions[0].stack[0]).toMatchObject({ label: "handler", path: cause.paths[0] });
    expect(cause.exceptions[0].stack[0].line).toBeGreaterThan(0);
    expect(json(await api.invoke("on"))).toBe("on");
  });

  it.each([
    ["'text'", "string", "text"],
    ["undefined", "undefined", "undefined"],
    ["null", "object", "null"],
    ["{ code: 7 }", "object", '{"code":7}'],
    ["{ name: 'Custom', message: 'not an Error' }", "Custom", "not an Error"],
    ["Symbol('s')", "symbol", "Symbol(s)"],
    ["{ get name() { throw 1; }, message: '' }", "Error", "an error that can't be read"],
  ])("may be anything: throw %s", async (value, errorType, errorMessage) => {
    const { api } = await start(`export const handler = async () => { throw ${value}; };`);
    const outcome = await api.invoke({});
    expect(outcome.kind).toBe("error");
    expect(json(outcome)).toMatchObject({ errorType, errorMessage });
  });

  it("make a queue try again: a batch whose handler throws is an error, not an empty success", async () => {
    const { api } = await start(`
      export const handler = async (event: { Records: { messageId: string; body: string }[] }) => {
        for (const { body } of event.Records) JSON.parse(body);
      };
    `);
    const batch = (body: string) => ({
      Records: [
        { messageId: "m-1", body, eventSource: "aws:sqs", attributes: { ApproximateReceiveCount: "1" } },
      ],
    });
    const failed = await api.invoke(batch("not JSON"));
    expect([failed.kind, json(failed).errorType]).toEqual(["error", "SyntaxError"]);
    const again = await api.invoke(batch("{}"));
    expect([again.kind, again.body.toString()]).toEqual(["response", "null"]);
  });

  it("of an event that is not JSON are reported", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    expect(json(await api.invokeRaw("{")).errorType).toBe("Runtime.UnmarshalError");
    expect(json(await api.invoke(1))).toBe(1);
  });

  it.each([
    ["uncaughtException", "throw new TypeError('late');", 129, "TypeError"],
    [
      "unhandledRejection",
      "Promise.reject(new TypeError('late'));",
      128,
      "Runtime.UnhandledPromiseRejection",
    ],
  ])("that nobody catches (%s) fail the invocation and end the process", async (_kind, code, exit, type) => {
    const { api, exited, output } = await start(`
      export const handler = () => new Promise(() => { setTimeout(() => { ${code} }, 1); });
    `);
    const outcome = await api.invoke({}, { headers: { "Lambda-Runtime-Invocation-Id": "attempt-1" } });
    expect([outcome.kind, outcome.headers["lambda-runtime-invocation-id"]]).toEqual(["error", "attempt-1"]);
    expect(json(outcome)).toMatchObject({ errorType: type, errorMessage: "late" });
    expect(await exited).toEqual({ code: exit, signal: null });
    expect(output()).toContain("FATAL");
  });

  it("between invocations end the process too", async () => {
    const { api, exited } = await start(`
      export const handler = () => { setTimeout(() => { throw new Error("after the answer"); }, 20); return "done"; };
    `);
    expect(json(await api.invoke({}))).toBe("done");
    expect((await exited).code).toBe(129);
    expect(api.initErrors).toEqual([]);
  });
});

describe("init", () => {
  it.each([
    ["throw new RangeError('no luck');", "app.handler", "RangeError", "no luck"],
    ["export const other = 1;", "app.handler", "Runtime.HandlerNotFound", "exports other"],
    ["export const handler = 1;", "app.handler", "Runtime.HandlerNotFound", "neither a function"],
    ["export default 7;", "app.handler", "Runtime.HandlerNotFound", "no default export is a handler"],
    ["export {};", "missing.handler", "Runtime.ImportModuleError", "missing"],
    ["export {};", "handler", "Runtime.MalformedHandlerName", '"handler"'],
    ["export {};", "../app.handler", "Runtime.MalformedHandlerName", "../app.handler"],
    [
      "export const handler = (_e: unknown, _c: unknown, done: () => void) => done();",
      "app.handler",
      "Runtime.CallbackHandlerDeprecated",
      "callback",
    ],
  ])("%s as %s fails with %s", async (source, handler, errorType, message) => {
    const { api, exited } = await start(source, { handler });
    await api.until(() => api.initErrors.length === 1);
    const [error] = api.initErrors;
    expect(error && json(error)).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) });
    expect(error?.headers["lambda-runtime-function-error-type"]).toBe(
      errorType.startsWith("Runtime.") ? errorType : `Function.${errorType}`,
    );
    expect(await exited).toEqual({ code: 1, signal: null });
  });

  it.each([
    ["setTimeout(() => { throw new TypeError('soon'); });", 129, "TypeError"],
    ["Promise.reject(new TypeError('soon'));", 128, "Runtime.UnhandledPromiseRejection"],
  ])("fails with what nobody catches: %s", async (source, code, errorType) => {
    const { api, exited } = await start(`${source} export const handler = () => 1;`);
    expect(await exited).toEqual({ code, signal: null });
    expect(api.initErrors.map(json)).toEqual([expect.objectContaining({ errorType, errorMessage: "soon" })]);
  });

  it("finds nested exports", async () => {
    const { api } = await start("export const deep = { er: { handler: () => 'here' } };", {
      handler: "app.deep.er.handler",
    });
    expect(json(await api.invoke({}))).toBe("here");
  });
});

describe("the context", () => {
  it("says everything that Lambda tells", async () => {
    const { api } = await start(`
      export const handler = (_event: unknown, context: any) => ({
        ...context, remaining: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID,
      });
    `);
    const deadlineMs = Date.now() + 30_000;
    const outcome = await api.invoke(
      {},
      {
        deadlineMs,
        headers: {
          "Lambda-Runtime-Trace-Id": "Root=1-a;Parent=b;Sampled=1",
          "Lambda-Runtime-Client-Context": '{"custom":{"a":1}}',
          "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"id"}',
          "Lambda-Runtime-Aws-Tenant-Id": "tenant-1",
        },
      },
    );
    const context = json(outcome);
    expect(context).toEqual({
      awsRequestId: outcome.requestId,
      functionName: "probe",
      functionVersion: "7",
      memoryLimitInMB: "512",
      logGroupName: "/aws/lambda/probe",
      logStreamName: "2026/11/25/[7]abc",
      invokedFunctionArn: "arn:aws:lambda:eu-central-1:000000000000:function:probe:live",
      deadlineMs,
      traceId: "Root=1-a;Parent=b;Sampled=1",
      trace: "Root=1-a;Parent=b;Sampled=1",
      clientContext: { custom: { a: 1 } },
      identity: { cognitoIdentityId: "id" },
      tenantId: "tenant-1",
      remaining: context.remaining,
    });
    expect(context.remaining).toBeGreaterThan(0);
    expect(context.remaining).toBeLessThanOrEqual(30_000);
    const bare = json(await api.invoke({}));
    expect(Object.keys(bare)).not.toContain("traceId");
    expect(bare.trace).toBeUndefined();
  });

  it("with a client context that is no JSON fails the invocation", async () => {
    const { api } = await start("export const handler = () => 1;");
    const outcome = await api.invoke({}, { headers: { "Lambda-Runtime-Client-Context": "{" } });
    expect(json(outcome)).toMatchObject({ errorType: "Runtime.UnmarshalError" });
  });
});

describe("SIGTERM", () => {
  const hooks = `
    import { onShutdown } from "lambda-runtime";
    onShutdown(() => console.log("first hook"));
    onShutdown(async () => { await Bun.sleep(1); throw new Error("bad hook"); });
    onShutdown(() => console.log("last hook"));
  `;

  it("runs the hooks, the last one first, and exits with 0", async () => {
    const { api, process, exited, output } = await start(`${hooks} export const handler = () => 1;`);
    await api.invoke({});
    await api.until(() => api.waiting === 1);
    process.kill("SIGTERM");
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(output()).toMatch(/last hook[\s\S]*first hook[\s\S]*bad hook/);
  });

  it("takes no more invocations, and runs the hooks once", async () => {
    const { api, process, exited, output, wrote } = await start(`
      import { onShutdown } from "lambda-runtime";
      onShutdown(() => new Promise<void>((resolve) => { process.once("SIGUSR2", () => resolve()); console.log("hook"); }));
      export const handler = () => console.log("handled");
    `);
    await api.until(() => api.waiting === 1);
    process.kill("SIGTERM");
    await wrote(/hook/);
    await api.until(() => api.waiting === 0);
    void api.invoke({});
    process.kill("SIGTERM");
    process.kill("SIGUSR2");
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(output().match(/hook|handled/g)).toEqual(["hook"]);
  });

  it("lets an invocation finish first", async () => {
    const { api, process, exited, output } = await start(`
      ${hooks}
      export const handler = async () => {
        const stop = new Promise((resolve) => process.once("SIGTERM", resolve));
        console.log("ready"); await stop; await Bun.sleep(5); console.log("finished"); return "done";
      };
    `);
    const outcome = api.invoke({});
    process.stdout?.on("data", () => {
      if (output().includes("ready") && !output().includes("finished")) process.kill("SIGTERM");
    });
    expect(json(await outcome)).toBe("done");
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(output()).toMatch(/finished[\s\S]*last hook/);
  });
});

describe("AWS_LAMBDA_MAX_CONCURRENCY", () => {
  it("answers as many at once, each with its own context", async () => {
    const { api, wrote } = await start(
      `
      const waiting: (() => void)[] = [];
      export const handler = async (event: number, context: any) => {
        await new Promise<void>((resolve) => { waiting.push(resolve); if (waiting.length === 8) for (const go of waiting) go(); });
        await Bun.sleep(8 - event);
        console.log("event", event);
        return { event, id: context.awsRequestId, trace: (globalThis as any).awslambda.InvokeStore.getXRayTraceId() };
      };
    `,
      { environment: { AWS_LAMBDA_MAX_CONCURRENCY: "8" } },
    );
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, event) =>
        api.invoke(event, { headers: { "Lambda-Runtime-Trace-Id": `Root=${event}` } }),
      ),
    );
    for (const [event, outcome] of outcomes.entries()) {
      expect(json(outcome)).toEqual({ event, id: outcome.requestId, trace: `Root=${event}` });
      await wrote(new RegExp(`${outcome.requestId}\tINFO\tevent ${event}\n`));
    }
    expect(api.connections).toBe(8);
  });

  it("finishes all of them on SIGTERM", async () => {
    const { api, process, exited } = await start(
      `
      let count = 0;
      export const handler = async () => {
        const stop = new Promise((resolve) => process.once("SIGTERM", resolve));
        count += 1; if (count === 3) console.log("all here");
        await stop; await Bun.sleep(Math.random() * 5); return "done";
      };
    `,
      { environment: { AWS_LAMBDA_MAX_CONCURRENCY: "4" } },
    );
    process.stdout?.on("data", () => process.kill("SIGTERM"));
    const outcomes = await Promise.all([1, 2, 3].map(() => api.invoke({})));
    expect(outcomes.map(json)).toEqual(["done", "done", "done"]);
    expect(await exited).toEqual({ code: 0, signal: null });
  });
});

describe("the environment", () => {
  const evil = join(import.meta.dirname, "testing/evil.cjs");

  it.each([
    ["BUN_BE_BUN", () => "1"],
    ["BUN_OPTIONS", (file: string) => `--preload ${file}`],
    ["NODE_OPTIONS", (file: string) => `--require ${file}`],
    ["BUN_INSPECT", () => "ws://127.0.0.1:0/x?wait=1"],
    ["BUN_INSPECT_PRELOAD", (file: string) => file],
  ])("can't turn the engine into something else: %s", async (name, value) => {
    const { api, output, process, exited } = await start(
      "export const handler = (event: unknown) => event;",
      {
        environment: { [name]: value(evil) },
      },
    );
    expect(json(await api.invoke("still the engine"))).toBe("still the engine");
    process.kill("SIGTERM");
    await exited;
    expect(output()).not.toContain("EVIL");
    expect(output()).not.toContain("Inspector");
  });

  it("is what Lambda set, whatever files lie beside the app", async () => {
    const { api, output, process, exited } = await start(
      "export const handler = () => process.env.FROM_FILE ?? 'unset';",
      {
        files: {
          ".env": "FROM_FILE=1",
          "bunfig.toml": `preload = [${JSON.stringify(evil)}]`,
          "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./nowhere/*"] } } }',
        },
      },
    );
    expect(json(await api.invoke({}))).toBe("unset");
    process.kill("SIGTERM");
    await exited;
    expect(output()).not.toContain("EVIL");
  });
});
