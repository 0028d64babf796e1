import { ServiceException } from "../service.ts";

export interface PolicyStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
}

export interface PolicyDocument {
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

/**
 * Whether policies allow an action on a resource, conditions aside: a deny beats every allow.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function decide(policies: readonly PolicyDocument[], action: string, resource: string): boolean {
  const statements = policies.flatMap(({ Statement }) => Statement);
  if (statements.some((statement) => "NotAction" in statement || "NotResource" in statement)) {
    throw new ServiceException("NotImplemented", "local-aws: NotAction and NotResource are not covered", 501);
  }
  const applying = statements.filter(
    ({ Action = [], Resource = "*" }) => matchesAny(Action, action) && matchesAny(Resource, resource),
  );
  return (
    applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny")
  );
}

function matchesAny(patterns: string | readonly string[], value: string): boolean {
  return [patterns].flat().some((pattern) => matches(pattern as string, value));
}

function matches(pattern: string, value: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "i").test(value);
}
