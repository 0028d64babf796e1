import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListTagsCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStackClient, parameterResource } from "../testing/stacks.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { functionResource, uploadCode } from "../testing/zip-function.ts";

let server: TestServer;
let stacks: ReturnType<typeof openStackClient>;
let lambda: LambdaClient;
let code: { S3Bucket: string; S3Key: string };

beforeAll(async () => {
  server = await startTestServer();
  stacks = openStackClient(server);
  lambda = new LambdaClient(server.clientConfig);
  code = await uploadCode(server, `return "of the template"`);
  const ssm = new SSMClient(server.clientConfig);
  await ssm.send(new PutParameterCommand({ Name: "/impossible", Type: "String", Value: "taken" }));
});
afterAll(() => server.stop());

async function invoke(FunctionName: string): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

it("makes a function with version, alias and URL, and takes all of it away", async () => {
  const stack = await stacks.deploy("whole", {
    Resources: {
      Function: functionResource("whole", code, { Tags: [{ Key: "stage", Value: "local" }] }),
      Version: { Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: "Function" } } },
      Live: {
        Type: "AWS::Lambda::Alias",
        Properties: {
          FunctionName: { Ref: "Function" },
          FunctionVersion: { "Fn::GetAtt": ["Version", "Version"] },
          Name: "live",
        },
      },
      Url: {
        Type: "AWS::Lambda::Url",
        Properties: { TargetFunctionArn: { Ref: "Live" }, AuthType: "NONE" },
      },
      Permission: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          FunctionName: { Ref: "Live" },
          Action: "lambda:InvokeFunctionUrl",
          Principal: "*",
          FunctionUrlAuthType: "NONE",
        },
      },
      PermissionThroughUrl: {
        Type: "AWS::Lambda::Permission",
        Properties: {
          FunctionName: { Ref: "Live" },
          Action: "lambda:InvokeFunction",
          Principal: "*",
          InvokedViaFunctionUrl: true,
        },
      },
    },
    Outputs: { Url: { Value: { "Fn::GetAtt": ["Url", "FunctionUrl"] } } },
  });
  expect(stack.StackStatus).toBe("CREATE_COMPLETE");
  expect(await (await fetch(stack.Outputs?.[0]?.OutputValue ?? "")).text()).toContain("of the template");
  const alias = await lambda.send(new GetAliasCommand({ FunctionName: "whole", Name: "live" }));
  expect(alias.FunctionVersion).toBe("1");

  const deleted = await stacks.delete("whole");
  expect(deleted.StackStatus).toBe("DELETE_COMPLETE");
  await expect(
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "whole" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

it("changes configuration and tags without touching the code, and so does the rollback", async () => {
  const template = (settings: object, more: object = {}) => ({
    Resources: { Function: functionResource("moved", code, settings), ...more },
  });
  const first = { MemorySize: 128, Tags: [{ Key: "a", Value: "1" }] };
  await stacks.deploy("moved", template(first));
  const released = await uploadCode(server, `return "released since"`);
  await lambda.send(
    new UpdateFunctionCodeCommand({
      FunctionName: "moved",
      S3Bucket: released.S3Bucket,
      S3Key: released.S3Key,
    }),
  );
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: "moved" });

  const failed = await stacks.deploy(
    "moved",
    template(
      { MemorySize: 512 },
      { Impossible: parameterResource("/impossible", "1", { DependsOn: "Function" }) },
    ),
  );
  expect(failed.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  const restored = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "moved" }));
  expect(restored.MemorySize).toBe(128);
  expect((await lambda.send(new ListTagsCommand({ Resource: restored.FunctionArn }))).Tags).toEqual({
    a: "1",
  });
  expect(await invoke("moved")).toBe("released since");

  const changed = await stacks.deploy(
    "moved",
    template({ MemorySize: 256, Tags: [{ Key: "b", Value: "2" }] }),
  );
  expect(changed.StackStatus).toBe("UPDATE_COMPLETE");
  const now = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "moved" }));
  expect(now.MemorySize).toBe(256);
  expect((await lambda.send(new ListTagsCommand({ Resource: now.FunctionArn }))).Tags).toEqual({ b: "2" });
  expect(await invoke("moved")).toBe("released since");
});

it("says why a function could not be made, and leaves none", async () => {
  const missing = { S3Bucket: code.S3Bucket, S3Key: "missing.zip" };
  const stack = await stacks.deploy("missing-code", {
    Resources: { Function: functionResource("no", missing) },
  });
  expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
  await expect(
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "no" })),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});
