import type { Context } from "@workspace/lambda-runtime";
import { describe, expect, it } from "vitest";
import { handler } from "../initial/handler.ts";

const context = { functionName: "orders-prod-us" } as Context;
const explanation =
  "Nothing has been released to orders-prod-us (APP-STAGE) yet. Run `nx run APP:release --stage STAGE`.";

describe("the placeholder", () => {
  it.each([
    ["a function URL", { rawPath: "/", requestContext: { http: { method: "GET" } } }],
    ["an API Gateway REST API", { httpMethod: "GET", path: "/", requestContext: {} }],
    ["a load balancer", { httpMethod: "GET", path: "/", requestContext: { elb: {} } }],
  ])("answers %s with 503 and what to run", async (_sender, event) => {
    expect(await handler(event, context)).toMatchObject({
      statusCode: 503,
      body: `${explanation}\n`,
    });
  });

  it.each([
    ["a queue", { Records: [{ eventSource: "aws:sqs" }] }],
    ["a schedule", { source: "aws.events", "detail-type": "Scheduled Event" }],
    ["nothing", null],
    ["a WebSocket API", { requestContext: { routeKey: "$connect" } }],
  ])("fails an event of %s, so that it stays where it is", (_sender, event) => {
    expect(() => handler(event, context)).toThrow(explanation);
  });
});
