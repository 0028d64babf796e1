import { describe, expect, it } from "vitest";
import { httpEvent, json, parsePrelude, start } from "../testing/conformance.ts";
import type { Outcome } from "../testing/runtime-api-server.ts";

function readErrorTrailer({ trailers }: Outcome): unknown {
  return JSON.parse(Buffer.from(trailers["lambda-runtime-function-error-body"] ?? "", "base64").toString());
}

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
    expect(readErrorTrailer(outcome)).toMatchObject({ errorType: "RangeError", errorMessage: "broken off" });
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

  it("takes text and bytes of any kind from a Response", async () => {
    const { api } = await start(`
      import { streamResponse } from "lambda-runtime";
      const pieces = ["te", new Uint8Array([120]).buffer, new Uint16Array([0x2074]), new DataView(new Uint8Array([111, 107, 33]).buffer, 0, 2)];
      export const handler = streamResponse(() => new Response(new ReadableStream({
        pull(controller) { const piece = pieces.shift(); if (piece === undefined) controller.close(); else controller.enqueue(piece); },
      })));
    `);
    expect(parsePrelude(await api.invoke(httpEvent("/"))).rest).toBe("text ok");
  });

  it("fails by a piece of a Response that is neither", async () => {
    const { api, wrote } = await start(`
      import { streamResponse } from "lambda-runtime";
      export const handler = streamResponse(() => new Response(new ReadableStream({
        start(controller) { controller.enqueue("text"); controller.enqueue({ a: 1 }); controller.close(); },
      })));
    `);
    for (let n = 0; n < 2; n += 1) {
      const outcome = await api.invoke(httpEvent("/"));
      expect(parsePrelude(outcome).rest).toBe("text");
      expect(readErrorTrailer(outcome)).toMatchObject({ errorType: "Runtime.MarshalError" });
    }
    await wrote(/Invoke Error.*not text or bytes/);
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

  it.each([
    ["a write", 's.write("a"); s.write("b"); throw new Error("boom");', "ab"],
    ["the end", 's.write("a"); s.end("b"); throw new Error("boom");', "ab"],
    ["a pause", 's.write("a"); await Bun.sleep(1); s.write("b"); throw new Error("boom");', "ab"],
    ["a pipe", 's.write("a"); Readable.from(["b", "c"]).pipe(s); throw new Error("boom");', "a"],
  ])("sends what such a handler has written, then what it throws after %s", async (_what, body, sent) => {
    const { api, wrote } = await start(`
      import { Readable } from "node:stream";
      export const handler = (globalThis as any).awslambda.streamifyResponse(async (_event: any, s: any) => { ${body} });
    `);
    const outcome = await api.invoke({});
    expect(outcome.body.toString()).toBe(sent);
    expect(readErrorTrailer(outcome)).toMatchObject({ errorType: "Error", errorMessage: "boom" });
    await wrote(/Invoke Error.*boom/);
  });

  it("sends as JSON what such a handler writes beside text and bytes", async () => {
    const { api } = await start(`
      export const handler = (globalThis as any).awslambda.streamifyResponse(async (_event: any, s: any) => {
        s.write({ a: 1 }); s.write("62", "hex"); s.write(new Uint8Array([99])); s.end();
      });
    `);
    expect((await api.invoke({})).body.toString()).toBe('{"a":1}bc');
  });

  it("ends the answer with the stream, and the invocation with such a handler", async () => {
    const { api, process, output, wrote } = await start(`
      export const handler = (globalThis as any).awslambda.streamifyResponse(async (event: string, s: any) => {
        const go = new Promise((resolve) => process.once("SIGUSR2", resolve));
        s.end(event); if (event === "next") return;
        await go; console.log("after the end"); throw new Error("too late for the caller");
      });
    `);
    const { requestId, trailers } = await api.invoke("first");
    expect(trailers).toEqual({});
    const next = api.invoke("next");
    process.kill("SIGUSR2");
    expect((await next).body.toString()).toBe("next");
    await wrote(/too late for the caller/);
    const lines = output().trim().split("\n");
    expect(lines.map((line) => line.split("\t")[1])).toEqual([requestId, requestId]);
  });

  it("sends what comes after such a handler has returned", async () => {
    const { api } = await start(`
      import { Readable } from "node:stream";
      export const handler = (globalThis as any).awslambda.streamifyResponse((_event: any, s: any) => {
        Readable.from((async function* () { await Bun.sleep(1); yield "piped"; })()).pipe(s);
      });
    `);
    expect((await api.invoke({})).body.toString()).toBe("piped");
  });

  it.each([
    ["waits for ever", "yield 'x'; await new Promise(() => {});", undefined],
    [
      "can't be stopped",
      "try { for (;;) yield 'x'.repeat(65536); } finally { await new Promise(() => {}); }",
      undefined,
    ],
    [
      "fails when it is stopped",
      "try { for (;;) yield 'x'.repeat(65536); } finally { throw new Error('no end'); }",
      /Invoke Error.*no end/,
    ],
  ])("goes on where the server wants no more and the source %s", async (_what, body, line) => {
    const { api, wrote } = await start(`
      export const handler = (event: string) => event === "stream" ? endless() : event;
      async function* endless() { ${body} }
    `);
    void api.invoke("stream", { answerEarly: true });
    expect(json(await api.invoke("next"))).toBe("next");
    if (line !== undefined) await wrote(line);
  });

  it("ends the process where the connection is lost while the source waits", async () => {
    const { api, exited } = await start(
      "export const handler = async function* () { yield 'x'; await new Promise(() => {}); };",
    );
    await new Promise<void>((resolve) => void api.invoke({}, { onPiece: () => resolve() }));
    await api.stop();
    expect((await exited).code).toBe(1);
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
    const { api, process, output, wrote } = await start(`
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
      pulled = Number(new RegExp(`report ${report} pulled (\\d+)`).exec(output())?.[1]);
    }
    expect(pulled).toBeLessThan(1000);
    read();
    expect((await outcome).body.length).toBe(1000 * 65536);
  });
});
