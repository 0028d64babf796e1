import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStackClient } from "../testing/stacks.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let stacks: ReturnType<typeof openStackClient>;

beforeAll(async () => {
  server = await startTestServer();
  stacks = openStackClient(server);
});
afterAll(() => server.stop());

describe("a template that can change permissions", () => {
  const prepare = (Properties: object, ...Capabilities: ("CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM")[]) => {
    const AssumeRolePolicyDocument = { Version: "2012-10-17", Statement: [] };
    const Role = { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument, ...Properties } };
    return stacks.prepare("permissions", { Resources: { Role } }, { Capabilities });
  };

  it.each([
    [{}, "CAPABILITY_IAM"],
    [{ RoleName: "chosen" }, "CAPABILITY_NAMED_IAM"],
  ] as const)("with %j needs %s", async (properties, needed) => {
    const refused = {
      name: "InsufficientCapabilitiesException",
      message: `Requires capabilities : [${needed}]`,
    };
    await expect(prepare(properties)).rejects.toMatchObject(refused);
    expect(await stacks.find("permissions")).toBeUndefined();
    expect((await prepare(properties, needed)).Status).toBe("CREATE_COMPLETE");
    await stacks.delete("permissions");
  });

  it("may always where names are allowed, too, and never name its own where they aren't", async () => {
    expect((await prepare({}, "CAPABILITY_NAMED_IAM")).Status).toBe("CREATE_COMPLETE");
    await expect(prepare({ RoleName: "chosen" }, "CAPABILITY_IAM")).rejects.toThrow("[CAPABILITY_NAMED_IAM]");
    await stacks.delete("permissions");
  });
});

it.each([
  { NotificationARNs: ["arn:aws:sns:eu-central-1:000000000000:news"] },
  { ResourceTypes: ["AWS::IAM::Role"] },
])("a change set with %j is refused, since nothing here would carry that out", async (asked) => {
  const Topic = { Type: "AWS::Logs::LogGroup", Properties: {} };
  await expect(stacks.prepare("asks", { Resources: { Topic } }, asked)).rejects.toThrow(
    `CreateChangeSet does not cover ${Object.keys(asked)}`,
  );
  expect(await stacks.find("asks")).toBeUndefined();
});
