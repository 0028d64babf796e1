import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopPath } from "./attachment.ts";
import { openRegistry } from "./testing/push-image.ts";
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

describe("a full disk", () => {
  /** What is written to the path from now on finds no space. */
  function fill(path: string): void {
    rmSync(path, { force: true });
    symlinkSync("/dev/full", path);
  }
  let full: TestServer;
  beforeAll(async () => {
    full = await startTestServer();
    fill(join(full.stateDirectory, "server.log"));
  });
  afterAll(() => full?.stop());

  it("keeps no caller from its answer where the log has no space", async () => {
    const malformed = { "x-amz-target": "AmazonSSM.GetParameter", authorization: "Credential=a/b/c/ssm/" };
    const answer = await fetch(full.endpoint, { method: "POST", headers: malformed, body: "{" });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({
      status: 500,
      body: { __type: "InternalFailure" },
    });
  });

  it("is named in the answer to what can't be stored", async () => {
    const ssm = new SSMClient({ ...full.clientConfig, maxAttempts: 1 });
    const put = (Name: string) => ssm.send(new PutParameterCommand({ Name, Value: "v", Type: "String" }));
    const document = createHash("sha256").update("parameter /full").digest("hex").slice(0, 32);
    fill(join(full.stateDirectory, "ssm/documents", `${document}.json.part`));
    await expect(put("/full")).rejects.toMatchObject({
      message: expect.stringContaining("ENOSPC"),
      $metadata: { httpStatusCode: 500 },
    });
    expect((await put("/other")).Version).toBe(1);
  });

  it("is named in the answer to a layer that has no space", async () => {
    const { headers, createRepository } = await openRegistry(full);
    await createRepository("app");
    const begin = `${full.endpoint}/v2/app/blobs/uploads/`;
    const begun = await fetch(begin, { method: "POST", headers });
    const id = begun.headers.get("docker-upload-uuid") ?? "";
    fill(join(full.stateDirectory, "ecr/uploads", id));
    const answer = await fetch(begin + id, { method: "PATCH", headers, body: new Uint8Array(8 << 20) });
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain("ENOSPC");
  });
});
