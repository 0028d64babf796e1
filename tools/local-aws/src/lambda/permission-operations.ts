import { randomUUID } from "node:crypto";
import { type Operation, refuseOthers } from "../service.ts";
import { checkRevision, conflict, notFound } from "./errors.ts";
import { type Functions, findAlias, parseReference, type Reference } from "./functions.ts";
import type { LambdaFunction, Statement } from "./model.ts";

interface PermissionInput {
  readonly Action: string;
  readonly Principal: string;
  readonly FunctionUrlAuthType?: string;
  readonly InvokedViaFunctionUrl?: boolean | string;
  readonly SourceArn?: string;
  readonly SourceAccount?: string;
}

const covered = [
  "Action",
  "Principal",
  "FunctionUrlAuthType",
  "InvokedViaFunctionUrl",
  "SourceArn",
  "SourceAccount",
];

/** Resource policies of functions and aliases. */
export function createPermissionOperations(functions: Functions): Record<string, Operation> {
  function find(text: string, qualifier?: string) {
    const reference = parseReference(text, qualifier);
    const fn = functions.mustFind(reference);
    functions.mustFindVersion(fn, reference.qualifier);
    const key = reference.qualifier ?? "$LATEST";
    return { reference, fn, key, statements: fn.policies[key] ?? [] };
  }

  /** The policy belongs to what it is of: a change of it is a change of that. */
  function put(fn: LambdaFunction, key: string, statements: readonly Statement[]): void {
    const policies = { ...fn.policies, [key]: statements };
    const alias = findAlias(fn, key);
    const revisionId = randomUUID();
    if (alias !== undefined) {
      const aliases = { ...fn.aliases, [key]: { ...alias, RevisionId: revisionId } };
      functions.put({ ...fn, policies, aliases });
    } else {
      functions.put({ ...fn, policies, latest: { ...fn.latest, revisionId } });
    }
  }

  const revisionOf = (fn: LambdaFunction, key: string) =>
    findAlias(fn, key)?.RevisionId ?? fn.latest.revisionId;

  return {
    async AddPermission({ FunctionName, Qualifier, StatementId, RevisionId, ...input }) {
      refuseOthers("AddPermission", input, covered);
      const { reference, fn, key, statements } = find(FunctionName, Qualifier);
      checkRevision(RevisionId, revisionOf(fn, key));
      if (statements.some(({ Sid }) => Sid === StatementId)) {
        throw conflict(
          `The statement id (${StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        );
      }
      const statement = buildStatement(StatementId, input as PermissionInput, arnFor(functions, reference));
      put(fn, key, [...statements, statement]);
      return { Statement: JSON.stringify(statement) };
    },

    async RemovePermission({ FunctionName, Qualifier, StatementId, RevisionId }) {
      const { fn, key, statements } = find(FunctionName, Qualifier);
      checkRevision(RevisionId, revisionOf(fn, key));
      if (!statements.some(({ Sid }) => Sid === StatementId)) {
        throw notFound(`Statement ${StatementId} is not found in resource policy.`);
      }
      put(
        fn,
        key,
        statements.filter(({ Sid }) => Sid !== StatementId),
      );
      return {};
    },

    async GetPolicy({ FunctionName, Qualifier }) {
      const { fn, key, statements } = find(FunctionName, Qualifier);
      if (statements.length === 0) throw notFound("The resource you requested does not exist.");
      return {
        Policy: JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements }),
        RevisionId: revisionOf(fn, key),
      };
    },
  };
}

function arnFor(functions: Functions, { name, qualifier }: Reference): string {
  return functions.arnOf(name, qualifier);
}

function buildStatement(Sid: string, input: PermissionInput, Resource: string): Statement {
  const { Action, Principal, FunctionUrlAuthType, InvokedViaFunctionUrl, SourceArn, SourceAccount } = input;
  const equals = {
    ...(FunctionUrlAuthType !== undefined && { "lambda:FunctionUrlAuthType": FunctionUrlAuthType }),
    ...(SourceAccount !== undefined && { "AWS:SourceAccount": SourceAccount }),
  };
  const Condition = {
    ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
    ...(SourceArn !== undefined && { ArnLike: { "AWS:SourceArn": SourceArn } }),
    ...(InvokedViaFunctionUrl !== undefined && {
      Bool: { "lambda:InvokedViaFunctionUrl": String(InvokedViaFunctionUrl) },
    }),
  };
  return {
    Sid,
    Effect: "Allow",
    Principal: buildPrincipal(Principal),
    Action,
    Resource,
    ...(Object.keys(Condition).length > 0 && { Condition }),
  };
}

function buildPrincipal(principal: string): Statement["Principal"] {
  if (principal === "*") return "*";
  return principal.includes(".amazonaws.com") ? { Service: principal } : { AWS: principal };
}

/**
 * Whether everybody may call the function through its URL. Since October 2025 that takes two permissions.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export function isPublicUrlAllowed({ policies }: LambdaFunction, qualifier = "$LATEST"): boolean {
  const statements = policies[qualifier] ?? [];
  return ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].every((action) =>
    statements.some(({ Action, Principal }) => Action === action && Principal === "*"),
  );
}
