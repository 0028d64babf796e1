import type { Context } from "@workspace/lambda-runtime";
import { describe, expect, it } from "vitest";
import { handler } from "./handler.ts";

const request = async (method: string, rawPath: string) => {
  const event = { rawPath, requestContext: { http: { method } } };
  const { statusCode, body } = await handler(event, {} as Context);
  return { statusCode, body: JSON.parse(body) };
};

describe("the handler", () => {
  it("says which build answers", async () => {
    const answer = await request("GET", "/");
    expect(answer).toEqual({ statusCode: 200, body: { message: "Hello from Lambda", build: "unbundled" } });
  });

  it("is healthy", async () => {
    expect(await request("GET", "/health")).toEqual({
      statusCode: 200,
      body: { status: "ok", build: "unbundled" },
    });
  });

  it("refuses what it does not know, and says so", async () => {
    expect(await request("GET", "/nothing")).toEqual({
      statusCode: 404,
      body: { error: "no such path: /nothing" },
    });
    expect(await request("DELETE", "/")).toEqual({
      statusCode: 405,
      body: { error: "DELETE is not allowed" },
    });
  });
});
