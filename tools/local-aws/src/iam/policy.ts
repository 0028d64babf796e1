import { findMissingElement } from "../policy-document.ts";
import { ServiceException } from "../service.ts";

export interface PolicyStatement {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
}

export interface PolicyDocument {
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

/** From the least restrictive to the most. */
const decisions = ["allowed", "implicitDeny", "explicitDeny"] as const;
export type Decision = (typeof decisions)[number];

/** What a simulation says of several resources together. */
export function findMostRestrictive(decided: readonly Decision[]): Decision {
  return decisions.findLast((decision) => decided.includes(decision)) ?? "implicitDeny";
}

/**
 * What policies say of an action on a resource, conditions aside: a deny beats every allow.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function decide(policies: readonly PolicyDocument[], action: string, resource: string): Decision {
  const statements = policies.flatMap(({ Statement }) => Statement);
  if (statements.some((statement) => "NotAction" in statement || "NotResource" in statement)) {
    throw new ServiceException("NotImplemented", "local-aws: NotAction and NotResource are not covered", 501);
  }
  const applying = statements.filter(
    ({ Action = [], Resource = "*" }) => matchesAny(Action, action) && matchesAny(Resource, resource),
  );
  if (applying.some(({ Effect }) => Effect === "Deny")) return "explicitDeny";
  return applying.some(({ Effect }) => Effect === "Allow") ? "allowed" : "implicitDeny";
}

/** @throws ServiceException `MalformedPolicyDocument` for a policy of a role or of its own that can't be one */
export const checkPermissions = (text: string): void => checkDocument(text, "Resource");

/** @throws ServiceException `MalformedPolicyDocument` for what can't say who may assume a role */
export const checkTrust = (text: string): void => checkDocument(text, "Principal");

function checkDocument(text: string, needed: "Principal" | "Resource"): void {
  const missing = findMissingElement(parseDocument(text), [needed]);
  if (missing !== undefined) throw malformed(`Missing required field ${missing}`);
}

function parseDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed("This policy contains invalid Json");
  }
}

function malformed(message: string): ServiceException {
  return new ServiceException("MalformedPolicyDocument", message);
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
