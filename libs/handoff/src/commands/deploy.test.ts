import { UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findLiveConfiguration } from "../live/function-state.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { deployInfra } from "./deploy.ts";

let localAws: LocalAws;
beforeAll(async () => {
  localAws = await openLocalAws();
});
afterAll(() => localAws?.close());

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const tag = "0a1b2c3d4e5f";

it("a changed configuration goes live only once the code has answered well with it", async () => {
  const clients = localAws.buildClients();
  const { functionName: FunctionName, imageTagParameter: Name } = fn;
  // Without a layer it answers nothing.
  await createLiveFunction(clients, fn, await pushImage(clients, fn, { architecture: "amd64", tag }));
  await clients.ssm.send(new PutParameterCommand({ Name, Value: tag, Type: "String" }));
  const deployStacks = async () => {
    await clients.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
  };

  await expect(deployInfra(clients, fn, { deployStacks, smokeEvent: "{}" })).rejects.toMatchObject({
    code: "E_SMOKE_FAILED",
  });
  expect(await findLiveConfiguration(clients, fn)).toMatchObject({ version: "1" });
});
