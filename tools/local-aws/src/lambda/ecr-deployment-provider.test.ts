import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRegistry } from "../testing/push-image.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

const canRun = process.platform === "linux" && process.arch === "x64";
if (!canRun) {
  console.warn("the provider of cdk-ecr-deployment: skipped, as its binary is for Linux on x64 only");
}

let server: TestServer;
let lambda: LambdaClient;
let image: string;
beforeAll(async () => {
  server = await startTestServer();
  lambda = new LambdaClient(server.clientConfig);
  const registry = await openRegistry(server);
  await registry.createRepository("assets");
  await registry.createRepository("app");
  image = await registry.pushImage("assets", "one", { layers: [[{ name: "a", content: "b" }]] });
});
afterAll(() => server?.stop());

/** The binary as the CDK packs it, in a bucket as the CDK puts it there. */
async function createProvider(FunctionName: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve("cdk-ecr-deployment/package.json")), "lambda-bin");
  const bootstrap = new Uint8Array(readFileSync(join(folder, "bootstrap")));
  const archive = zipSync({ bootstrap: [bootstrap, { attrs: 0o755 << 16, os: 3, level: 1 }] });
  for (const [path, body] of [["bucket"], ["bucket/provider.zip", new Uint8Array(archive)]] as const) {
    const response = await fetch(`${server.endpoint}/${path}`, { method: "PUT", ...(body && { body }) });
    expect(response.status).toBe(200);
  }
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: "arn:aws:iam::000000000000:role/provider",
      Runtime: "provided.al2023",
      Handler: "bootstrap",
      Timeout: 300,
      MemorySize: 512,
      Code: { S3Bucket: "bucket", S3Key: "provider.zip" },
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.5 },
    { FunctionName },
  );
}

/** Asks the provider as CloudFormation does; gives what it reports. */
async function deploy(SrcImage: string, DestImage: string): Promise<unknown> {
  const receiver = createServer().listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const address = receiver.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const reported = new Promise<unknown>((resolve, reject) => {
    receiver.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.end();
      resolve(JSON.parse(Buffer.concat(chunks).toString()));
    });
    receiver.on("error", reject);
  });
  const event = {
    RequestType: "Create",
    ResponseURL: `http://127.0.0.1:${port}/`,
    StackId: "arn:aws:cloudformation:eu-central-1:000000000000:stack/app/1",
    RequestId: "request",
    ResourceType: "Custom::CDKECRDeployment",
    LogicalResourceId: "Deployment",
    ResourceProperties: { ServiceToken: "provider", SrcImage, DestImage },
  };
  try {
    const Payload = JSON.stringify(event);
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: "provider", Payload, LogType: "Tail" }),
    );
    if (answer.FunctionError !== undefined)
      throw new Error(Buffer.from(answer.LogResult ?? "", "base64").toString());
    return await reported;
  } finally {
    receiver.close();
  }
}

describe.skipIf(!canRun)("the real provider of cdk-ecr-deployment", () => {
  const nameOf = (path: string) => `docker://000000000000.dkr.ecr.eu-central-1.amazonaws.com/${path}`;

  it("copies an image under ECR's real host names, and reports what it can't", async () => {
    await createProvider("provider");
    expect(await deploy(nameOf("assets:one"), nameOf("app:initial"))).toMatchObject({ Status: "SUCCESS" });
    const ecr = new ECRClient(server.clientConfig);
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName: "app" }));
    expect(imageDetails).toMatchObject([{ imageDigest: image, imageTags: ["initial"] }]);
    expect(await deploy(nameOf("assets:none"), nameOf("app:other"))).toMatchObject({
      Status: "FAILED",
      Reason: expect.stringContaining("assets:none"),
    });
  }, 300_000);
});
