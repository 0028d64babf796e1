import { randomUUID } from "node:crypto";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
  UpdateAssumeRolePolicyCommand,
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
    ["ssm:GetParameter", "arn:x:/a/b", "allowed"],
    ["SSM:getparameter", "arn:x:/a/b", "allowed"],
    ["lambda:InvokeFunction", "arn:x:/a/b", "allowed"],
    ["ssm:GetParameter", "arn:x:/b", "implicitDeny"],
    ["ssm:PutParameter", "arn:x:/a/b", "implicitDeny"],
    ["ssm:GetParameterHistory", "arn:x:/a/b", "explicitDeny"],
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

  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
  });
  const createRole = (RoleName: string, AssumeRolePolicyDocument = trust) =>
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  const createPolicy = (PolicyName: string, PolicyDocument: string) =>
    iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));

  it("say what they may do by their own and their attached policies", async () => {
    const RoleName = "deployer";
    const { Role } = await createRole(RoleName);
    const PolicyDocument = allow("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/a");
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "own", PolicyDocument }));
    const { Policy } = await createPolicy("shared", allow("ecr:*", "*"));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy?.Arn }));

    const own = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "own" }));
    expect(decodeURIComponent(own.PolicyDocument ?? "")).toBe(PolicyDocument);
    const simulate = (ActionNames: string[], ResourceArns?: string[]) =>
      iam.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn: Role?.Arn, ActionNames, ResourceArns }));
    const parameter = (name: string) => `arn:aws:ssm:eu-central-1:000000000000:parameter/${name}`;
    const asked = await simulate(["ssm:GetParameter", "ecr:PutImage"], [parameter("a"), parameter("b")]);
    const decided = (EvalActionName: string, EvalDecision: string, ofA: string, ofB: string) => ({
      EvalActionName,
      EvalResourceName: "*",
      EvalDecision,
      ResourceSpecificResults: [
        { EvalResourceName: parameter("a"), EvalResourceDecision: ofA },
        { EvalResourceName: parameter("b"), EvalResourceDecision: ofB },
      ],
    });
    expect(asked.EvaluationResults).toEqual([
      decided("ssm:GetParameter", "implicitDeny", "allowed", "implicitDeny"),
      decided("ecr:PutImage", "allowed", "allowed", "allowed"),
    ]);
    expect((await simulate(["ecr:PutImage"])).EvaluationResults).toEqual([
      { EvalActionName: "ecr:PutImage", EvalResourceName: "*", EvalDecision: "allowed" },
    ]);
    await iam.send(new DeleteRoleCommand({ RoleName }));
    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: "NoSuchEntityException",
    });
  });

  it("have ten managed policies at most", async () => {
    const RoleName = "crowded";
    await createRole(RoleName);
    const attach = (name: string) =>
      iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: `arn:aws:iam::aws:policy/${name}` }));
    for (let index = 0; index < 10; index += 1) await attach(`policy-${index}`);
    await attach("policy-0");
    await expect(attach("one-more")).rejects.toMatchObject({
      name: "LimitExceededException",
      message: "Cannot exceed quota for PoliciesPerRole: 10",
    });
  });

  it("have managed policies of 6,144 characters at most, white space aside", async () => {
    const room = 6144 - allow("ecr:*", "").length;
    const { Policy } = await createPolicy("longest", allow("ecr:*", `${" ".repeat(99)}${"x".repeat(room)}`));
    const tooLong = allow("ecr:*", "x".repeat(room + 1));
    const version = new CreatePolicyVersionCommand({ PolicyArn: Policy?.Arn, PolicyDocument: tooLong });
    for (const attempt of [() => createPolicy("longer", tooLong), () => iam.send(version)]) {
      await expect(attempt()).rejects.toMatchObject({
        name: "LimitExceededException",
        message: "Cannot exceed quota for PolicySize: 6144",
      });
    }
  });

  it.each([
    ["{", "This policy contains invalid Json"],
    ["null", "Missing required field Statement"],
    ["{}", "Missing required field Statement"],
    ['{"Statement":["Allow"]}', "Missing required field Effect"],
    [allow("sts:AssumeRole", "*"), "Missing required field Principal"],
  ])("can't be trusted by %s", async (document, message) => {
    const refusal = { name: "MalformedPolicyDocumentException", message };
    await expect(createRole("untrusted", document)).rejects.toMatchObject(refusal);
    const RoleName = `trusted-${randomUUID()}`;
    await createRole(RoleName);
    const update = new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: document });
    await expect(iam.send(update)).rejects.toMatchObject(refusal);
  });

  it("may do nothing by a document that is no policy", async () => {
    await createRole("given");
    const put = new PutRolePolicyCommand({ RoleName: "given", PolicyName: "own", PolicyDocument: trust });
    const refusal = { name: "MalformedPolicyDocumentException", message: "Missing required field Resource" };
    await expect(iam.send(put)).rejects.toMatchObject(refusal);
    await expect(createPolicy("none", trust)).rejects.toMatchObject(refusal);
  });
});
