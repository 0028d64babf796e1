import { type EvaluationResult, type IAMClient, paginateSimulatePrincipalPolicy } from "@aws-sdk/client-iam";
import type { Permission } from "@workspace/handoff";
import type { Check } from "./check.ts";

/**
 * Asks IAM whether a principal has a permission. `OK` takes an answer for each action, and nothing but `allowed`.
 * @param principal `arn:aws:iam::123456789012:role/release`
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export async function simulate(
  iam: IAMClient,
  principal: string,
  { sid, actions, resources }: Permission,
): Promise<Check> {
  // `HoldLease` reads as `hold lease`.
  const name = sid.replaceAll(/(?!^)[A-Z]/g, " $&").toLowerCase();
  const input = {
    PolicySourceArn: principal,
    ActionNames: [...actions],
    ResourceArns: [...resources],
  };
  const results: EvaluationResult[] = [];
  for await (const page of paginateSimulatePrincipalPolicy({ client: iam }, input)) {
    results.push(...(page.EvaluationResults ?? []));
  }
  const denied = results.flatMap(listDenials);
  const unanswered = actions.filter(
    (action) => !results.some(({ EvalActionName }) => EvalActionName === action),
  );
  const missing = [...denied, ...unanswered.map((action) => `${action}, of which IAM says nothing`)];
  if (missing.length === 0) return { name, verdict: "OK", detail: "" };
  return {
    name,
    verdict: "NG",
    detail: missing.join(", "),
    remedy: `Allow it to ${principal}: docs/aws.md has the roles.`,
  };
}

/** `ssm:GetParameter on arn:…`. An action's own name of a resource is a pattern; its answers for each name them. */
function listDenials(result: EvaluationResult): string[] {
  const { EvalActionName, EvalDecision, EvalResourceName, ResourceSpecificResults = [] } = result;
  const denied = ResourceSpecificResults.filter(
    ({ EvalResourceDecision }) => EvalResourceDecision !== "allowed",
  ).map(({ EvalResourceName: name }) => `${EvalActionName} on ${name}`);
  if (denied.length > 0 || EvalDecision === "allowed") return denied;
  return [`${EvalActionName} on ${EvalResourceName}`];
}
