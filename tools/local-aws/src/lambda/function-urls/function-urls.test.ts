import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionUrlConfigCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRegistry, type Registry } from "../../testing/push-image.ts";
import { buildRuntimeScript } from "../../testing/runtime-script.ts";
import { startTestServer, type TestServer } from "../../testing/test-server.ts";

let server: TestServer;
let lambda: LambdaClient;
let registry: Registry;
beforeAll(async () => {
  server = await startTestServer();
  lambda = new LambdaClient(server.clientConfig);
  registry = await openRegistry(server);
  await registry.createRepository("app");
});
afterAll(() => server?.stop());

interface UrlProps {
  readonly AuthType?: "NONE" | "AWS_IAM";
  readonly InvokeMode?: "BUFFERED" | "RESPONSE_STREAM";
  readonly isPublic?: boolean;
}

/** A function with an alias `live` and a URL on it. */
async function createUrl(handler: string, { AuthType = "NONE", InvokeMode, isPublic = true }: UrlProps = {}) {
  const FunctionName = `fn-${randomUUID().slice(0, 8)}`;
  const content = buildRuntimeScript(handler);
  await registry.pushImage("app", FunctionName, {
    layers: [[{ name: "runtime", content, mode: 0o755 }]],
    config: { Entrypoint: ["/runtime"] },
  });
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: "arn:aws:iam::000000000000:role/app",
      PackageType: "Image",
      Code: { ImageUri: `${server.host}/app:${FunctionName}` },
      Timeout: 60,
    }),
  );
  const waiting = { client: lambda, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
  await waitUntilFunctionActiveV2(waiting, { FunctionName });
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await waitUntilFunctionActiveV2(waiting, { FunctionName, Qualifier: "1" });
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  const target = { FunctionName, Qualifier: "live" };
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ ...target, AuthType, InvokeMode }),
  );
  for (const Action of isPublic ? ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"] : []) {
    const StatementId = Action.replace(":", "-");
    await lambda.send(new AddPermissionCommand({ ...target, StatementId, Action, Principal: "*" }));
  }
  return { url: FunctionUrl, target };
}

describe("a function URL", () => {
  it("hands requests over and answers as the function says", async () => {
    const { url } = await createUrl(
      "return { statusCode: 201, headers: { 'x-path': event.rawPath }, cookies: ['a=1', 'b=2'], body: event.body };",
    );
    const response = await fetch(`${url}some/path?q=1`, { method: "POST", body: "héllo" });
    expect([response.status, response.headers.get("x-path"), await response.text()]).toEqual([
      201,
      "/some/path",
      "héllo",
    ]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it.each([
    ["throws", "throw new Error('no');"],
    ["answers with no status", "return { statusCode: 'no' };"],
    [
      "answers with a header that can't be sent",
      "return { statusCode: 200, headers: { 'x-a': 'line\\nbreak' } };",
    ],
  ])("is a bad gateway where the function %s", async (_what, handler) => {
    const { url } = await createUrl(handler);
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([502, "Internal Server Error"]);
  });

  it("hands nothing over of more than six megabytes", async () => {
    const { url } = await createUrl("return event.body.length;");
    const post = (bytes: number) => fetch(url, { method: "POST", body: "x".repeat(bytes) });
    expect(await (await post(6_000_000)).json()).toBe(6_000_000);
    const refused = await post(6 * 1024 * 1024);
    expect([refused.status, await refused.json()]).toEqual([413, { Message: "Request Entity Too Large" }]);
  });

  it("is forbidden to the public until it has both permissions", async () => {
    const { url, target } = await createUrl("return 'in';", { isPublic: false });
    const status = async () => (await fetch(url)).status;
    expect(await status()).toBe(403);
    const allow = (Action: string) =>
      lambda.send(new AddPermissionCommand({ ...target, StatementId: randomUUID(), Action, Principal: "*" }));
    await allow("lambda:InvokeFunctionUrl");
    expect(await status()).toBe(403);
    await allow("lambda:InvokeFunction");
    expect(await status()).toBe(200);
  });

  it("with IAM wants a signature", async () => {
    const { url } = await createUrl("return 'in';", { AuthType: "AWS_IAM" });
    const refused = await fetch(url);
    expect([refused.status, await refused.json()]).toEqual([403, { Message: "Forbidden" }]);
    const headers = { authorization: "AWS4-HMAC-SHA256 Credential=a/b/c/lambda/aws4_request, Signature=d" };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it("is one for an alias, keeps its address when it changes, and goes", async () => {
    const { url, target } = await createUrl("return 1;");
    const again = new CreateFunctionUrlConfigCommand({ ...target, AuthType: "NONE" });
    await expect(lambda.send(again)).rejects.toMatchObject({ name: "ResourceConflictException" });
    await lambda.send(new UpdateFunctionUrlConfigCommand({ ...target, AuthType: "AWS_IAM" }));
    const read = () => lambda.send(new GetFunctionUrlConfigCommand(target));
    expect(await read()).toMatchObject({ FunctionUrl: url, AuthType: "AWS_IAM", InvokeMode: "BUFFERED" });
    await lambda.send(new DeleteFunctionUrlConfigCommand(target));
    await expect(read()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    expect((await fetch(url)).status).toBe(404);
  });

  it("refuses what is not covered", async () => {
    const { target } = await createUrl("return 1;");
    const command = new UpdateFunctionUrlConfigCommand({ ...target, Cors: { AllowOrigins: ["*"] } });
    await expect(lambda.send(command)).rejects.toThrow("does not cover Cors");
  });
});

describe("a streamed answer", () => {
  const type = "application/vnd.awslambda.http-integration-response";
  const head = `JSON.stringify({ statusCode: 202, headers: { "x-a": "b" } }) + "\\0".repeat(8)`;

  it("comes piece by piece, with the head that the function gives it", async () => {
    const path = join(server.stateDirectory, "first-is-read");
    // The second piece is made only after the client says that it has the first.
    const { url } = await createUrl(
      `const pieces = async function* () {
         yield ${head} + "first";
         while (!require("node:fs").existsSync(${JSON.stringify(path)})) await new Promise((done) => setTimeout(done, 20));
         yield "second";
       };
       await stream(pieces(), { type: "${type}" });`,
      { InvokeMode: "RESPONSE_STREAM" },
    );
    const response = await fetch(url);
    expect([response.status, response.headers.get("x-a")]).toEqual([202, "b"]);
    const reader = response.body?.getReader();
    const read = async () => Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(await read()).toBe("first");
    writeFileSync(path, "");
    expect(await read()).toBe("second");
  });

  it("that fails in the middle is cut", async () => {
    const trailers = `{ "Lambda-Runtime-Function-Error-Type": "Error", "Lambda-Runtime-Function-Error-Body": "e30=" }`;
    const { url } = await createUrl(
      `await stream([${head}, "first"], { type: "${type}", trailers: ${trailers} });`,
      { InvokeMode: "RESPONSE_STREAM" },
    );
    const response = await fetch(url);
    expect(response.status).toBe(202);
    await expect(response.text()).rejects.toThrow();
  });

  it("is whole where the URL does not stream", async () => {
    const { url } = await createUrl(`await stream([${head}, "all"], { type: "${type}" });`);
    const response = await fetch(url);
    expect([response.status, response.headers.get("x-a"), await response.text()]).toEqual([202, "b", "all"]);
  });
});
