import { describe, expect, it } from "vitest";
import { httpEvent, json, parsePrelude, start } from "../testing/conformance.ts";

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

describe("the type of a body", () => {
  const app = `
    import { streamResponse } from "lambda-runtime";
    const answers: Record<string, () => Response> = {
      text: () => new Response("<h1>"),
      bytes: () => new Response(new Uint8Array([255])),
      blob: () => new Response(new Blob(["<h1>"], { type: "text/html" })),
      file: () => new Response(Bun.file(process.env.LAMBDA_TASK_ROOT + "/app.js")),
      query: () => new Response(new URLSearchParams({ a: "1" })),
      form: () => { const form = new FormData(); form.set("a", "1"); return new Response(form); },
      stream: () => new Response(async function* () { yield new Uint8Array([0xc3]); yield new Uint8Array([0xbc]); } as any),
      given: () => new Response("<h1>", { headers: { "content-type": "text/x" } }),
      empty: () => new Response(""),
      none: () => new Response(null, { status: 204 }),
    };
    const answer = (event: any) => answers[event.rawPath.slice(1)]!();
    export const buffered = (event: any) => answer(event);
    export const streamed = streamResponse((event: any) => answer(event));
  `;
  const types = {
    text: "text/plain;charset=utf-8",
    bytes: "application/octet-stream",
    blob: "text/html;charset=utf-8",
    file: "text/javascript;charset=utf-8",
    query: "application/x-www-form-urlencoded;charset=UTF-8",
    form: expect.stringMatching(/^multipart\/form-data; boundary=/),
    stream: "text/plain;charset=utf-8",
    given: "text/x",
    empty: undefined,
    none: undefined,
  };

  it.each(["buffered", "streamed"])("goes with it where the answer is %s", async (kind) => {
    const { api } = await start(app, { handler: `app.${kind}` });
    const found: Record<string, unknown> = {};
    for (const name of Object.keys(types)) {
      const outcome = await api.invoke(httpEvent(`/${name}`));
      const head = (kind === "buffered" ? json(outcome) : parsePrelude(outcome).prelude) as {
        headers: Record<string, string>;
      };
      found[name] = head.headers["content-type"];
    }
    expect(found).toEqual(types);
  });
});
