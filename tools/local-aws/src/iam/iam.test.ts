import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { decide } from "./policy.ts";

describe("decide", () => {
  const policies = [
    {
      Statement: [
        { Effect: "Allow" as const, Action: ["ssm:Get*", "lambda:invoke?unction"], Resource: "arn:*:/a/*" },
        { Effect: "Deny" as const, Action: "ssm:GetParameterHistory", Resource: "*" },
      ],
    },
  ];
  it.each([
    ["ssm:GetParameter", "arn:x:/a/b", true],
    ["SSM:getparameter", "arn:x:/a/b", true],
    ["lambda:InvokeFunction", "arn:x:/a/b", true],
    ["ssm:GetParameter", "arn:x:/b", false],
    ["ssm:PutParameter", "arn:x:/a/b", false],
    ["ssm:GetParameterHistory", "arn:x:/a/b", false],
  ])("%s on %s: %s", (action, resource, expected) => {
    expect(decide(policies, action, resource)).toBe(expected);
  });

  it("refuses to guess what NotAction means", () => {
    const statement = { Effect: "Deny" as const, NotAction: "ssm:*", Resource: "*" };
    expect(() => decide([{ Statement: statement }], "ssm:GetParameter", "*")).toThrow("NotAction");
  });
});

describe("roles", () => {
  let server: TestServer;
  let iam: IAMClient;
  beforeAll(async () => {
    server = await startTestServer();
    iam = new IAMClient(server.clientConfig);
  });
  afterAll(() => server.stop());

  const allow = (Action: string, Resource: string) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource }] });

  it("say what they may do by their own and their attached policies", async () => {
    const RoleName = "deployer";
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: allow("sts:AssumeRole", "*") }),
    );
    const PolicyDocument = allow("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/a");
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "own", PolicyDocument }));
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: "shared", PolicyDocument: allow("ecr:*", "*") }),
    );
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy?.Arn }));

    const own = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "own" }));
    expect(decodeURIComponent(own.PolicyDocument ?? "")).toBe(PolicyDocument);
    const { EvaluationResults = [] } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: Role?.Arn,
        ActionNames: ["ssm:GetParameter", "ssm:PutParameter", "ecr:PutImage"],
        ResourceArns: ["arn:aws:ssm:eu-central-1:000000000000:parameter/a"],
      }),
    );
    expect(EvaluationResults.map(({ EvalDecision }) => EvalDecision)).toEqual([
      "allowed",
      "implicitDeny",
      "allowed",
    ]);
    await iam.send(new DeleteRoleCommand({ RoleName }));
    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
    });
  });
});
