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
  const denied = results.filter(({ EvalDecision }) => EvalDecision !== "allowed");
  const unanswered = actions.filter(
    (action) => !results.some(({ EvalActionName }) => EvalActionName === action),
  );
  const missing = [
    ...denied.map(({ EvalActionName, EvalResourceName }) => `${EvalActionName} on ${EvalResourceName}`),
    ...unanswered.map((action) => `${action}, of which IAM says nothing`),
  ];
  if (missing.length === 0) return { name, verdict: "OK", detail: "" };
  return {
    name,
    verdict: "NG",
    detail: missing.join(", "),
    remedy: `Allow it to ${principal}: docs/aws.md has the roles.`,
  };
}
