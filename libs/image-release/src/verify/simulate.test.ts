import { type EvaluationResult, IAMClient, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import type { Permission } from "@workspace/handoff";
import { expect, it } from "vitest";
import { simulate } from "./simulate.ts";

const resource = "arn:aws:ssm:eu-central-1:111111111111:parameter/lambda-app/dev/lease";
const permission: Permission = {
  sid: "HoldLease",
  actions: ["ssm:GetParameter", "ssm:PutParameter"],
  resources: [resource],
};

/** Simulates against an IAM that answers with these pages. */
function simulateAnswered(...pages: readonly (readonly EvaluationResult[])[]) {
  const client = new IAMClient({ region: "eu-central-1" });
  client.send = async (command: object) => {
    if (!(command instanceof SimulatePrincipalPolicyCommand)) throw new Error(`unexpected: ${command}`);
    const at = Number(command.input.Marker ?? 0);
    const IsTruncated = at + 1 < pages.length;
    return { EvaluationResults: pages[at], IsTruncated, ...(IsTruncated && { Marker: String(at + 1) }) };
  };
  return simulate(client, "arn:aws:iam::111111111111:role/release", permission);
}

const answer = (
  EvalActionName: string,
  EvalDecision: EvaluationResult["EvalDecision"],
): EvaluationResult => ({
  EvalActionName,
  EvalDecision,
  EvalResourceName: resource,
});

it("is OK where every action is allowed, on whichever page", async () => {
  const pages = permission.actions.map((action) => [answer(action, "allowed")]);
  expect(await simulateAnswered(...pages)).toEqual({ name: "hold lease", verdict: "OK", detail: "" });
});

it("is NG for a denial on a later page", async () => {
  const denial = answer("ssm:PutParameter", "implicitDeny");
  expect(await simulateAnswered([answer("ssm:GetParameter", "allowed")], [denial])).toMatchObject({
    verdict: "NG",
    detail: `ssm:PutParameter on ${resource}`,
  });
});

it("names the resource that is denied, where the answer itself names a pattern", async () => {
  const EvalResourceName = "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME";
  const other = resource.replace("lease", "image-tag");
  const denied = {
    ...answer("ssm:PutParameter", "implicitDeny"),
    EvalResourceName,
    ResourceSpecificResults: [
      { EvalResourceName: other, EvalResourceDecision: "allowed" as const },
      { EvalResourceName: resource, EvalResourceDecision: "explicitDeny" as const },
    ],
  };
  expect(await simulateAnswered([answer("ssm:GetParameter", "allowed"), denied])).toMatchObject({
    verdict: "NG",
    detail: `ssm:PutParameter on ${resource}`,
  });
});

it("is NG for an action that is not answered", async () => {
  expect(await simulateAnswered([answer("ssm:GetParameter", "allowed")])).toMatchObject({
    verdict: "NG",
    detail: "ssm:PutParameter, of which IAM says nothing",
  });
});
