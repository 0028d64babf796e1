import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStackClient } from "../testing/stacks.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

const bin = join(import.meta.dirname, "../../../../node_modules/.bin");
const app = `${join(bin, "bun")} ${join(import.meta.dirname, "../testing/cdk-app.ts")}`;
const quiet = ["--no-notices", "--no-version-reporting", "--ci", "--app", app];

let server: TestServer;
let stacks: ReturnType<typeof openStackClient>;
let ssm: SSMClient;
let directory: string;

beforeAll(async () => {
  server = await startTestServer();
  stacks = openStackClient(server);
  ssm = new SSMClient(server.clientConfig);
  directory = mkdtempSync(join(tmpdir(), "cdk-cli-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const cdk = (...argv: string[]) =>
  execa(join(bin, "cdk"), [...argv, ...quiet], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: "tester",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_REGION: "eu-central-1",
      CDK_VALIDATION: "false",
      CDK_DISABLE_CLI_TELEMETRY: "true",
      CDK_DISABLE_VERSION_CHECK: "1",
      NODE_NO_WARNINGS: "1",
    },
    extendEnv: false,
    all: true,
    reject: false,
  });

const readValue = async () =>
  (await ssm.send(new GetParameterCommand({ Name: "/small/value" }))).Parameter?.Value;

it("bootstraps, deploys, rolls back and destroys with the unmodified CDK CLI", {
  timeout: 300_000,
}, async () => {
  const bootstrapped = await cdk("bootstrap", "aws://000000000000/eu-central-1");
  expect(bootstrapped.all).toContain("✅  Environment aws://000000000000/eu-central-1 bootstrapped.");
  expect((await stacks.find("CDKToolkit"))?.StackStatus).toBe("CREATE_COMPLETE");

  const deploy = (...argv: string[]) => cdk("deploy", "small", "--require-approval", "never", ...argv);
  const deployed = await deploy();
  expect(deployed.all).toContain("✅  small");
  expect(await readValue()).toBe("one");
  const { Outputs = [] } = (await stacks.find("small")) ?? {};
  const [Bucket = "", Key] = Outputs[0]?.OutputValue?.replace("s3://", "").split("/") ?? [];
  const asset = await new S3Client({ ...server.clientConfig, forcePathStyle: true }).send(
    new GetObjectCommand({ Bucket, Key }),
  );
  expect(await asset.Body?.transformToString()).toContain("new Stack(app");

  await ssm.send(new PutParameterCommand({ Name: "/taken", Type: "String", Value: "theirs" }));
  const failed = await deploy("-c", "value=two", "-c", "taken=yes");
  expect(failed.exitCode).toBe(1);
  expect(failed.all).toContain("The parameter already exists.");
  expect((await stacks.find("small"))?.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(await readValue()).toBe("one");

  const updated = await deploy("-c", "value=two");
  expect(updated.exitCode).toBe(0);
  expect(await readValue()).toBe("two");

  const destroyed = await cdk("destroy", "small", "--force");
  expect(destroyed.all).toContain("✅  small: destroyed");
  expect(await stacks.find("small")).toBeUndefined();
});
