import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEngine, startEngine } from "../testing/engine-process.ts";

/** A request as a client sends it. */
interface SentRequest {
  readonly method: string;
  /** Encoded. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, readonly string[]])[];
  readonly cookies: readonly string[];
  readonly body: Uint8Array;
}

/** An answer as the client gets it. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

const senders = ["v2", "v1", "alb", "albLists"] as const;
type Sender = (typeof senders)[number];

/** What AWS makes of a request, for each of its ways to a function. */
function buildEvent(sender: Sender, request: SentRequest): object {
  const { method, path, query, cookies } = request;
  const bytes = Buffer.from(request.body);
  const body = bytes.length === 0 ? null : bytes.toString("base64");
  const encoded = query.map(
    ([name, value]) => [encodeURIComponent(name), encodeURIComponent(value)] as const,
  );
  const headers = [["host", ["example.com"]] as const, ...request.headers];
  const withCookie = cookies.length === 0 ? headers : [...headers, ["cookie", [cookies.join("; ")]] as const];
  const strings = (entries: typeof headers) =>
    Object.fromEntries(entries.map(([name, values]) => [name, values.join(",")]));
  const lists = (pairs: readonly (readonly [string, string])[]) => {
    const grouped = new Map<string, string[]>();
    for (const [name, value] of pairs) grouped.set(name, [...(grouped.get(name) ?? []), value]);
    return Object.fromEntries(grouped);
  };
  const payload = { body, isBase64Encoded: body !== null };
  switch (sender) {
    case "v2":
      return {
        version: "2.0",
        rawPath: path,
        rawQueryString: encoded.map(([name, value]) => `${name}=${value}`).join("&"),
        headers: strings(headers),
        ...(cookies.length > 0 && { cookies }),
        requestContext: { http: { method } },
        ...payload,
      };
    case "v1":
      return {
        httpMethod: method,
        path,
        headers: Object.fromEntries(withCookie.map(([name, values]) => [name, values.at(-1)])),
        multiValueHeaders: Object.fromEntries(withCookie),
        queryStringParameters: Object.fromEntries(query),
        multiValueQueryStringParameters: lists(query),
        requestContext: {},
        ...payload,
      };
    case "albLists":
      return {
        httpMethod: method,
        path,
        multiValueHeaders: Object.fromEntries(withCookie),
        multiValueQueryStringParameters: lists(encoded),
        requestContext: { elb: {} },
        ...payload,
      };
    case "alb":
      return {
        httpMethod: method,
        path,
        headers: strings(withCookie),
        queryStringParameters: Object.fromEntries(encoded),
        requestContext: { elb: {} },
        ...payload,
      };
  }
}

/** What the client gets of a function's result. */
function readAnswer(sender: Sender, result: Record<string, unknown>): Answer {
  const body = Buffer.from(String(result.body), result.isBase64Encoded === true ? "base64" : "utf8");
  const lists = (result.multiValueHeaders ?? {}) as Record<string, string[]>;
  const strings = (result.headers ?? {}) as Record<string, string>;
  const pairs = [
    ...Object.entries(strings),
    ...Object.entries(lists).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    ...((result.cookies ?? []) as string[]).map((cookie) => ["set-cookie", cookie] as const),
  ].map(([name, value]) => [name.toLowerCase(), value] as const);
  if (sender.startsWith("alb")) expect(result.statusDescription).toMatch(/^\d{3}( |$)/);
  return {
    status: Number(result.statusCode),
    headers: Object.fromEntries(pairs.filter(([name]) => name !== "set-cookie")),
    cookies: pairs.filter(([name]) => name === "set-cookie").map(([, value]) => value),
    body,
  };
}

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const cookie = fc
  .tuple(token, fc.stringMatching(/^[!#-+\--:<-~]{0,20}$/))
  .map(([name, content]) => `${name}=${content}`);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const path = fc
  .array(
    fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 6 })
      .filter((part) => part !== "." && part !== ".."),
    { maxLength: 4 },
  )
  .map((parts) => `/${parts.map(encodeURIComponent).join("/")}`);

const sentRequest: fc.Arbitrary<SentRequest> = fc
  .record({
    method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    path,
    query: fc.uniqueArray(
      fc.tuple(
        text.filter((name) => name !== ""),
        text,
      ),
      { maxLength: 4, selector: ([name]) => name },
    ),
    headers: fc.uniqueArray(
      fc.tuple(
        token.map((name) => `x-${name}`),
        fc.array(value, { minLength: 1, maxLength: 3 }),
      ),
      {
        maxLength: 5,
        selector: ([name]) => name,
      },
    ),
    cookies: fc.array(cookie, { maxLength: 3 }),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map((request) => (request.method === "GET" ? { ...request, body: new Uint8Array() } : request));

const plannedAnswer = fc.record({
  status: fc.integer({ min: 200, max: 599 }).filter((code) => ![204, 205, 304].includes(code)),
  headers: fc.dictionary(
    token.map((name) => `x-${name}`),
    value,
    { maxKeys: 4, noNullPrototype: true },
  ),
  cookies: fc.array(
    cookie.map((one) => `${one}; Expires=Wed, 21 Oct 2027 07:28:00 GMT`),
    { maxLength: 3 },
  ),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text.map((one) => new Uint8Array(Buffer.from(one))),
  ),
});

/** Answers as the header x-plan says, and tells in x-seen what request it got. */
const app = `
  export default {
    async fetch(request: Request) {
      const plan = JSON.parse(Buffer.from(request.headers.get("x-plan") ?? "", "base64").toString());
      const seen = {
        method: request.method,
        url: request.url,
        headers: Object.fromEntries([...request.headers].filter(([name]) => name !== "x-plan")),
        body: Buffer.from(await request.arrayBuffer()).toString("hex"),
      };
      const headers = new Headers(plan.headers);
      for (const cookie of plan.cookies) headers.append("set-cookie", cookie);
      headers.set("x-seen", Buffer.from(JSON.stringify(seen)).toString("base64"));
      return new Response(Buffer.from(plan.body, "hex"), { status: plan.status, headers });
    },
  };
`;

describe("a web request through an event and back", () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine(app);
  });
  afterAll(() => engine.stop());

  it.each(senders)("by %s loses nothing", async (sender) => {
    await fc.assert(
      fc.asyncProperty(sentRequest, plannedAnswer, async (request, { status, headers, cookies, body }) => {
        const plan = { status, headers, cookies, body: Buffer.from(body).toString("hex") };
        const planHeader = Buffer.from(JSON.stringify(plan)).toString("base64");
        const sent = { ...request, headers: [...request.headers, ["x-plan", [planHeader]] as const] };
        const outcome = await engine.api.invoke(buildEvent(sender, sent));
        expect(outcome.kind).toBe("response");

        const answer = readAnswer(sender, JSON.parse(outcome.body.toString()));
        const { "x-seen": seenHeader = "", ...answered } = answer.headers;
        expect({ status: answer.status, headers: answered, cookies: answer.cookies }).toEqual({
          status,
          headers: body.length === 0 ? headers : { ...headers, "content-type": expect.any(String) },
          cookies,
        });
        expect(answer.body.toString("hex")).toBe(plan.body);

        const seen = JSON.parse(Buffer.from(seenHeader, "base64").toString());
        const url = new URL(seen.url);
        expect([...url.searchParams]).toEqual(request.query.map(([name, content]) => [name, content]));
        expect(url.pathname).toBe(request.path);
        expect(seen.method).toBe(request.method);
        expect(seen.body).toBe(Buffer.from(request.body).toString("hex"));
        const squeeze = (content: string) => content.replace(/, ?/g, ",");
        for (const [name, values] of request.headers)
          expect(squeeze(seen.headers[name])).toBe(squeeze(values.join(",")));
        expect(seen.headers.cookie).toBe(
          request.cookies.length === 0 ? undefined : request.cookies.join("; "),
        );
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
