import { ECRClient, type GetAuthorizationTokenCommandOutput } from "@aws-sdk/client-ecr";
import { expect, it } from "vitest";
import { readRegistryLogin } from "./registry-login.ts";

const proxyEndpoint = "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const authorizationToken = Buffer.from("AWS:secret").toString("base64");

function readAnswered(authorizationData: GetAuthorizationTokenCommandOutput["authorizationData"]) {
  const ecr = new ECRClient({ region: "eu-central-1" });
  ecr.send = async () => ({ authorizationData });
  return readRegistryLogin({ ecr });
}

it("reads what ECR gives", async () => {
  expect(await readAnswered([{ authorizationToken, proxyEndpoint }])).toEqual({
    endpoint: proxyEndpoint,
    username: "AWS",
    password: "secret",
  });
});

it.each([
  [undefined, "without endpoint, username, password"],
  [[{ authorizationToken }], "without endpoint"],
  [[{ proxyEndpoint }], "without username, password"],
])("refuses %j, and shows no password", async (authorizationData, value) => {
  await expect(readAnswered(authorizationData)).rejects.toMatchObject({
    code: "E_REGISTRY_LOGIN_INCOMPLETE",
    value,
  });
});
