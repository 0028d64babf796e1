import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type EngineOptions, type RunningEngine, startEngine } from "./testing/engine-process.ts";
import type { Outcome } from "./testing/runtime-api-server.ts";

const running: RunningEngine[] = [];

async function start(source: string, options?: EngineOptions): Promise<RunningEngine> {
  const engine = await startEngine(source, options);
  running.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop();
});

const json = ({ body }: Outcome) => JSON.parse(body.toString("utf8"));

/** What follows the JSON and the eight zero bytes of a streamed HTTP answer. */
function parsePrelude({ body }: Outcome): { prelude: unknown; rest: string } {
  const end = body.indexOf("\0".repeat(8));
  return { prelude: JSON.parse(body.toString("utf8", 0, end)), rest: body.toString("utf8", end + 8) };
}

const httpEvent = (path: string, more: object = {}) => ({
  version: "2.0",
  rawPath: path,
  rawQueryString: "",
  headers: { host: "example.com" },
  requestContext: { http: { method: "GET" } },
  isBase64Encoded: false,
  ...more,
});

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

describe("streaming", () => {
  it.each([
    [
      "an async generator",
      'async function* f() { yield "a"; yield new Uint8Array([98]); yield ""; yield { c: 1 }; } return f();',
    ],
    ["a ReadableStream", 'return new Response("ab" + JSON.stringify({ c: 1 })).body;'],
  ])("sends %s piece by piece", async (_what, body) => {
    const { api } = await start(`export const handler = async () => { ${body} };`);
    const outcome = await api.invoke({});
    expect(outcome.headers).toMatchObject({
      "lambda-runtime-function-response-mode": "streaming",
      "transfer-encoding": "chunked",
      "content-type": "application/octet-stream",
    });
    expect(outcome.body.toString()).toBe('ab{"c":1}');
    expect(outcome.trailers).toEqual({});
    expect((await api.invoke({})).body.toString()).toBe('ab{"c":1}');
    expect(api.connections).toBe(1);
  });

  it("sends each piece when it is there", async () => {
    const { api, process } = await start(`
      let go = () => {};
      process.on("SIGUSR2", () => go());
      export const handler = async function* () { yield "first"; await new Promise<void>((r) => { go = r; }); yield "second"; };
    `);
    const pieces: string[] = [];
    const outcome = await api.invoke(
      {},
      {
        onPiece: (piece) => {
          pieces.push(piece.toString());
          if (pieces.length === 1) process.kill("SIGUSR2");
        },
      },
    );
    expect(pieces).toEqual(["first", "second"]);
    expect(outcome.body.toString()).toBe("firstsecond");
  });

  it("says in trailers what failed after the first piece", async () => {
    const { api, wrote } = await start(`
      export const handler = async function* () { yield "part"; throw new RangeError("broken off"); };
    `);
    const outcome = await api.invoke({});
    expect(outcome.headers.trailer).toBe(
      "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    );
    expect(outcome.body.toString()).toBe("part");
    expect(outcome.trailers["lambda-runtime-function-error-type"]).toBe("Function.RangeError");
    const body = Buffer.from(
      outcome.trailers["lambda-runtime-function-error-body"] ?? "",
      "base64",
    ).toString();
    expect(JSON.parse(body)).toMatchObject({ errorType: "RangeError", errorMessage: "broken off" });
    await wrote(/Invoke Error.*broken off/);
    expect((await api.invoke({})).body.toString()).toBe("part");
  });

  it("reports what fails before the first piece as any other error", async () => {
    const { api } = await start(
      `export const handler = async function* () { throw new RangeError("early"); };`,
    );
    const outcome = await api.invoke({});
    expect([outcome.kind, json(outcome).errorMessage]).toEqual(["error", "early"]);
  });

  it("gives a Response as prelude and body", async () => {
    const { api } = await start(`
      import { streamResponse } from "lambda-runtime";
      export const handler = streamResponse(async () => {
        const headers = new Headers({ "content-type": "text/plain" });
        headers.append("set-cookie", "a=1"); headers.append("set-cookie", "b=2, 3");
        return new Response("bödy", { status: 201, headers });
      });
    `);
    const outcome = await api.invoke(httpEvent("/"));
    expect(outcome.headers["content-type"]).toBe("application/vnd.awslambda.http-integration-response");
    expect(parsePrelude(outcome)).toEqual({
      prelude: { statusCode: 201, headers: { "content-type": "text/plain" }, cookies: ["a=1", "b=2, 3"] },
      rest: "bödy",
    });
  });

  it("runs handlers that were written for AWS's runtimes", async () => {
    const { api } = await start(`
      export const handler = (globalThis as any).awslambda.streamifyResponse(async (event: any, stream: any, context: any) => {
        if (event === "fail") throw new Error("before the first write");
        const http = (globalThis as any).awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { a: "b" } });
        http.write("one "); http.write(context.functionName); http.end();
      });
    `);
    expect(parsePrelude(await api.invoke("go"))).toEqual({
      prelude: { statusCode: 202, headers: { a: "b" } },
      rest: "one probe",
    });
    const failed = await api.invoke("fail");
    expect([failed.kind, json(failed).errorMessage]).toEqual(["error", "before the first write"]);
  });

  it("stops the source where the server wants no more", async () => {
    const { api, wrote } = await start(`
      export const handler = (event: string) => event === "stream" ? endless() : event;
      async function* endless() { try { for (;;) yield "x".repeat(65536); } finally { console.log("source released"); } }
    `);
    const first = api.invoke("stream", { answerEarly: true });
    void first;
    expect(json(await api.invoke("next"))).toBe("next");
    await wrote(/source released/);
  });

  it("asks the source for no more than the server takes", async () => {
    const { api, process, wrote } = await start(`
      let pulled = 0, reports = 0;
      process.on("SIGUSR2", () => console.log("report", (reports += 1), "pulled", pulled));
      export const handler = async function* () { console.log("started"); for (; pulled < 1000; pulled += 1) yield "x".repeat(65536); };
    `);
    let read = () => {};
    const outcome = api.invoke(
      {},
      {
        readAfter: new Promise((resolve) => {
          read = resolve;
        }),
      },
    );
    await wrote(/started/);
    // Each round trip lets its event loop turn: an eager source would get to its end.
    let pulled = 0;
    for (let report = 1; report <= 50 || pulled === 0; report += 1) {
      process.kill("SIGUSR2");
      await wrote(new RegExp(`report ${report} pulled \\d+`));
      pulled = Number(new RegExp(`report ${report} pulled (\\d+)`).exec(running[0]?.output() ?? "")?.[1]);
    }
    expect(pulled).toBeLessThan(1000);
    read();
    expect((await outcome).body.length).toBe(1000 * 65536);
  });
});

describe("fetch apps", () => {
  it("answer HTTP events", async () => {
    const { api } = await start(`
      export default {
        async fetch(request: Request, env: any) {
          const url = new URL(request.url);
          return Response.json({ url: url.href, method: request.method, body: await request.text(), event: env.event.version });
        },
      };
    `);
    const event = httpEvent("/a%20b", {
      rawQueryString: "q=1&q=2,3",
      requestContext: { http: { method: "POST" } },
      body: Buffer.from("grün").toString("base64"),
      isBase64Encoded: true,
    });
    const result = json(await api.invoke(event));
    expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(JSON.parse(result.body)).toEqual({
      url: "https://example.com/a%20b?q=1&q=2,3",
      method: "POST",
      body: "grün",
      event: "2.0",
    });
  });

  it("fail events that are no HTTP requests", async () => {
    const { api } = await start("export default { fetch: () => new Response() };");
    const outcome = await api.invoke({ Records: [] });
    expect([outcome.kind, json(outcome).errorType]).toEqual(["error", "Runtime.InvalidEvent"]);
  });

  it("keep their this", async () => {
    const { api } = await start(`
      class App { #name = "app"; fetch() { return new Response(this.#name); } }
      export default new App();
    `);
    expect(json(await api.invoke(httpEvent("/"))).body).toBe("app");
  });
});

describe("logs", () => {
  const source = `
    export const handler = (event: string) => {
      console.debug("quiet"); console.log("hello %s", event, { a: 1 }); console.warn({ deep: { b: [1] } });
      console.error("bad\\nthing", new RangeError("no"));
    };
  `;

  it("are lines of text with time, request and level", async () => {
    const { api, output, wrote } = await start(source);
    const { requestId } = await api.invoke("you");
    await wrote(/ERROR[^\n]*\n/);
    const lines = output().trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${requestId}\\tINFO\\thello you \\{`),
    );
    expect(lines[3]).toContain("\tERROR\tbad\rthing RangeError: no");
  });

  it("are JSON from the configured level on, where the function says so", async () => {
    const { api, output, wrote } = await start(source, {
      environment: { AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "info" },
    });
    const { requestId } = await api.invoke("you", { headers: { "Lambda-Runtime-Aws-Tenant-Id": "t" } });
    await wrote(/ERROR[^\n]*\n/);
    const records = output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toEqual([
      {
        timestamp: expect.any(String),
        level: "INFO",
        requestId,
        tenantId: "t",
        message: expect.stringMatching(/^hello you/),
      },
      {
        timestamp: expect.any(String),
        level: "WARN",
        requestId,
        tenantId: "t",
        message: { deep: { b: [1] } },
      },
      {
        timestamp: expect.any(String),
        level: "ERROR",
        requestId,
        tenantId: "t",
        message: expect.stringContaining("bad\nthing"),
        errorType: "RangeError",
        errorMessage: "no",
        stackTrace: expect.any(Array),
      },
    ]);
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
