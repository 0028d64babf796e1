import { describe, expect, it } from "vitest";
import { buildUrlEvent, type UrlEventProps } from "./url-event.ts";

const build = (path: string, more: Partial<UrlEventProps> & { headers?: Record<string, string> } = {}) =>
  buildUrlEvent({
    request: { method: "POST", headers: { host: "127.0.0.1:1", ...more.headers } },
    url: new URL(path, "http://127.0.0.1:1"),
    urlId: "abc",
    requestId: "id",
    body: Buffer.alloc(0),
    nowMs: Date.UTC(2026, 10, 25, 8, 30, 5),
    ...more,
  });

describe("buildUrlEvent", () => {
  it("has the path and the query without the prefix of this server", () => {
    expect(build("/function-urls/abc/a%20b/c?x=1&y=%2C&x=2")).toMatchObject({
      version: "2.0",
      rawPath: "/a%20b/c",
      rawQueryString: "x=1&y=%2C&x=2",
      queryStringParameters: { x: "1,2", y: "," },
      requestContext: {
        http: { method: "POST", path: "/a%20b/c", protocol: "HTTP/1.1" },
        time: "25/Nov/2026:08:30:05 +0000",
        timeEpoch: Date.UTC(2026, 10, 25, 8, 30, 5),
      },
    });
    expect(build("/function-urls/abc")).toMatchObject({ rawPath: "/", rawQueryString: "" });
  });

  it("takes cookies apart, and leaves out what there is none of", () => {
    const event = build("/function-urls/abc/", { headers: { cookie: "a=1; b=2" } });
    expect(event).toMatchObject({ cookies: ["a=1", "b=2"], headers: { host: "127.0.0.1:1" } });
    expect(event).not.toHaveProperty("headers.cookie");
    expect(event).not.toHaveProperty("queryStringParameters");
    expect(event).not.toHaveProperty("body");
  });

  it.each([
    ["application/json", false],
    ["application/problem+json; charset=utf-8", false],
    ["text/plain", false],
    ["application/octet-stream", true],
    ["application/x-www-form-urlencoded", true],
    ["image/png", true],
    ["application/jsonlike", true],
  ])("has a body of %s in base64: %s", (type, isBase64Encoded) => {
    const event = build("/function-urls/abc/", { headers: { "content-type": type }, body: Buffer.from("é") });
    expect(event).toMatchObject({ isBase64Encoded, body: isBase64Encoded ? "w6k=" : "é" });
  });
});
