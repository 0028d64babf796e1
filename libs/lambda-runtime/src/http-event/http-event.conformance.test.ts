import { describe, expect, it } from "vitest";
import { httpEvent, json, parsePrelude, start } from "../testing/conformance.ts";

describe("fetch apps", () => {
  it("answer HTTP events", async () => {
    const { api } = await start(`
      export default {
        async fetch(request: Request, env: any) {
          const url = new URL(request.url);
          return Response.json({
            url: url.href, method: request.method, body: await request.text(),
            event: env.event.version, requestContext: env.requestContext, function: env.lambdaContext.functionName,
          });
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
      requestContext: { http: { method: "POST" } },
      function: "probe",
    });
  });

  it("fail events that are no HTTP requests", async () => {
    const { api } = await start("export default { fetch: () => new Response() };");
    const outcome = await api.invoke({ Records: [] });
    expect([outcome.kind, json(outcome).errorType]).toEqual(["error", "Runtime.InvalidEvent"]);
  });

  it.each(["undefined", "{ status: 200 }"])("fail where fetch answers with %s", async (value) => {
    const { api } = await start(`export default { fetch: async () => (${value}) };`);
    const outcome = await api.invoke(httpEvent("/"));
    expect([outcome.kind, json(outcome).errorType]).toEqual(["error", "Runtime.InvalidResponse"]);
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

describe("whatever a client sends", () => {
  const app = `
    export default {
      fetch: (request: Request) => Response.json({ url: request.url, headers: Object.fromEntries(request.headers) }),
    };
  `;
  const senders = {
    v2: (path: string, headers: object) =>
      httpEvent(path, {
        headers,
        requestContext: { domainName: "api.example.com", http: { method: "GET" } },
      }),
    v1: (path: string, headers: object) => ({
      httpMethod: "GET",
      path,
      headers,
      requestContext: { domainName: "api.example.com" },
    }),
    alb: (path: string, headers: object) => ({
      httpMethod: "GET",
      path,
      headers,
      requestContext: { elb: {} },
    }),
  };

  it.each(Object.entries(senders))("makes a request: %s", async (kind, build) => {
    const { api } = await start(app);
    const request = async (path: string, headers: object) =>
      JSON.parse(json(await api.invoke(build(path, headers))).body) as {
        url: string;
        headers: Record<string, string>;
      };

    const paths = {
      "/f.js#save?a": "/f.js%23save%3Fa",
      "/100%/%zz/%C3%BC": "/100%25/%25zz/%C3%BC",
      "/a b\n\\c": "/a%20b%0A%5Cc",
      "/ü": "/%C3%BC",
      "*": "/*",
      "//other.example.com/": "//other.example.com/",
    };
    for (const [path, sent] of Object.entries(paths))
      expect((await request(path, { host: "e.com" })).url).toBe(`https://e.com${sent}`);

    const other = kind === "alb" ? "localhost" : "api.example.com";
    const hosts = {
      "e.com:8080": "e.com:8080",
      "[::1]:8080": "[::1]:8080",
      "a b": other,
      "e.com:99999": other,
      "": other,
      "a.com, b.com": other,
      "evil.com/x?": other,
      "user@evil.com": other,
    };
    for (const [host, used] of Object.entries(hosts))
      expect((await request("/", { host })).url).toBe(`https://${used}/`);

    const schemes = { http: "http", "http,https": "http", "https, http": "https", ftp: "https" };
    for (const [proto, scheme] of Object.entries(schemes))
      expect((await request("/", { host: "e.com", "x-forwarded-proto": proto })).url).toBe(
        `${scheme}://e.com/`,
      );

    const { headers } = await request("/", { "x[y]": "1", "a b": "2", "x-nul": "a\0b", "x-name": "grün €" });
    expect(headers).toEqual({ "x-name": Buffer.from("grün €").toString("latin1") });
  });

  it("keeps its query as it was sent", async () => {
    const { api } = await start(app);
    const outcome = await api.invoke(httpEvent("/", { rawQueryString: "a=#b&c=100%" }));
    expect(JSON.parse(json(outcome).body).url).toBe("https://example.com/?a=%23b&c=100%");
  });
});
