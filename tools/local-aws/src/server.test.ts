import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopPath } from "./attachment.ts";
import { startTestServer, type TestServer } from "./testing/test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

async function send(method: string, path: string, headers: Readonly<Record<string, string>>) {
  const sent = request(server.endpoint + path, { method, headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe("the host name of a request", () => {
  it.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:4566",
    "evillocalhost",
    "evilamazonaws.com",
    "s3.eu-central-1.evil.example",
    "assets.s3.eu-central-1.amazonaws.com.evil.example",
    "evil.example#.localhost",
    "192.168.0.1",
  ])("is refused where it is another's: %s", async (host) => {
    const { status, body } = await send("PUT", "/rebound", { host });
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 403,
      body: { __type: "ForeignHostRefused", message: expect.stringContaining(`"${host}"`) },
    });
    expect((await send("HEAD", "/rebound", {})).status).toBe(404);
    expect(readFileSync(join(server.stateDirectory, "server.log"), "utf8")).toContain(`"${host}"`);
  });

  it.each([
    "127.0.0.1:4566",
    "localhost:4566",
    "LOCALHOST",
    "[::1]:4566",
    "000000000000.dkr.ecr.eu-central-1.amazonaws.com",
  ])("is taken where it is this machine's, or AWS's: %s", async (host) => {
    expect((await send("GET", "/v2/", { host })).status).toBe(401);
  });

  it("is refused before any path is looked at", async () => {
    const host = "evil.example";
    for (const path of ["/_local-aws/status", "/v2/", "/function-urls/some/"]) {
      expect((await send("GET", path, { host })).status).toBe(403);
    }
  });

  it("leaves function URLs to web apps on other ports", async () => {
    const headers = { host: "localhost:4566", origin: "http://localhost:3000" };
    expect((await send("POST", "/function-urls/none/", headers)).status).toBe(404);
  });
});

it.each([
  ["GET", { "x-local-aws": "stop" }],
  ["POST", {}],
  ["POST", { "content-type": "text/plain" }],
  ["OPTIONS", { origin: "https://evil.example", "access-control-request-headers": "x-local-aws" }],
])("isn't stopped by what a web page may send: %s %j", async (method, headers) => {
  const answer = await send(method, stopPath, headers);
  expect(answer.status).toBe(403);
  expect(answer.headers["access-control-allow-headers"]).toBeUndefined();
  expect(await (await fetch(`${server.endpoint}/_local-aws/status`)).json()).toMatchObject({
    stateDirectory: server.stateDirectory,
  });
});
