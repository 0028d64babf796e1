import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startInfra } from "./testing/start-infra.ts";

/** An endpoint that answers every SSM read in one way, and everything else as an account without anything. */
let answer: { status: number; body: object } = { status: 400, body: {} };
let server: Server;
let endpoint: string;
let moved: string[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const target = String(request.headers["x-amz-target"] ?? "");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const action = target.split(".").at(-1) || new URLSearchParams(body).get("Action") || request.url;
    const json = (status: number, value: object) =>
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(value));
    if (action === "GetParameter" || action === "GetParameters") {
      if (body.includes("/cdk-bootstrap/"))
        return json(200, { Parameter: { Name: "x", Value: "30", Version: 1, Type: "String" } });
      if (body.includes("/lease")) return json(400, { __type: "ParameterNotFound", message: "" });
      return json(answer.status, answer.body);
    }
    if (action === "PutParameter" && body.includes("/lease")) return json(200, { Version: 1 });
    if (action === "GetCallerIdentity") {
      const xml =
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
      return response.writeHead(200, { "content-type": "text/xml" }).end(xml);
    }
    if (action === "DescribeStacks") {
      const xml =
        "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>";
      return response.writeHead(400, { "content-type": "text/xml" }).end(xml);
    }
    if (action === "BatchGetImage")
      return json(200, { images: [], failures: [{ imageId: {}, failureCode: "ImageNotFound" }] });
    if (action === "DescribeImages")
      return json(400, { __type: "ImageNotFoundException", message: "no such image" });
    moved.push(String(action));
    return json(400, { __type: "AccessDeniedException", message: "not expected here" });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const deploy = (environment: Record<string, string> = {}) =>
  startInfra(endpoint, ["deploy"], { AWS_MAX_ATTEMPTS: "1", ...environment });

describe("deploy stops, and says why, where it can't know what is published", () => {
  it.each([
    [
      "access denied",
      400,
      { __type: "AccessDeniedException", message: "not authorized to perform ssm:GetParameter" },
      /E_TAG_READ_DENIED/,
    ],
    ["throttled", 400, { __type: "ThrottlingException", message: "Rate exceeded" }, /E_TAG_READ_THROTTLED/],
    [
      "expired credentials",
      400,
      { __type: "ExpiredTokenException", message: "The security token is expired" },
      /E_TAG_READ_\w+/,
    ],
    [
      "a malformed tag",
      200,
      { Parameter: { Name: "t", Value: "latest", Version: 3, Type: "String" } },
      /E_IMAGE_TAG_MALFORMED[\s\S]*latest/,
    ],
    [
      "a published image that is missing",
      200,
      { Parameter: { Name: "t", Value: "0a1b2c3d4e5f", Version: 3, Type: "String" } },
      /E_PUBLISHED_IMAGE_MISSING[\s\S]*0a1b2c3d4e5f/,
    ],
  ])("%s", async (_case, status, body, says) => {
    answer = { status, body };
    moved = [];
    const { exitCode, stderr } = await deploy();
    expect(stderr).toMatch(says);
    expect(exitCode).toBe(1);
    expect(moved).toEqual([]);
  });

  it("an endpoint that can't be reached", async () => {
    const { exitCode, stderr } = await deploy({ AWS_ENDPOINT_URL: "http://127.0.0.1:9" });
    expect(stderr).toMatch(/E_BOOTSTRAP_READ_UNREACHABLE[\s\S]*AWS_ENDPOINT_URL/);
    expect(exitCode).toBe(1);
  });
});
