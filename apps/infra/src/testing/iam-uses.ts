import type { Permission } from "@workspace/handoff";
import type { RecordedCall } from "./local-stage.ts";

/** One call as IAM judges it. */
export interface Use {
  readonly action: string;
  readonly resource: string;
}

interface Place {
  readonly account: string;
  readonly region: string;
}

/** Calls that IAM asks nothing about are left out. */
export function listUses(calls: readonly RecordedCall[], place: Place): Use[] {
  return calls.flatMap((call) => {
    const operation =
      call.service === "lambda" && call.operation === "Invoke" ? "InvokeFunction" : call.operation;
    const action = `${call.service}:${operation}`;
    if (action === "sts:GetCallerIdentity") return [];
    return listResources(call, place).map((resource) => ({ action, resource }));
  });
}

function listResources({ service, input }: RecordedCall, { account, region }: Place): string[] {
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : [String(value)]);
  const arns = (names: readonly string[]) =>
    names.map((name) => `arn:aws:${service}:${region}:${account}:${name}`);
  switch (service) {
    case "ssm":
      return arns(texts(input.Names ?? input.Name).map((name) => `parameter${name}`));
    case "ecr":
      return arns(texts(input.repositoryNames ?? input.repositoryName).map((name) => `repository/${name}`));
    case "lambda": {
      const { FunctionName, Name, Qualifier = Name } = input;
      return arns([`function:${FunctionName}${Qualifier === undefined ? "" : `:${Qualifier}`}`]);
    }
    case "cloudformation":
      return arns([`stack/${input.StackName}/id`]);
    case "sts":
      return texts(input.RoleArn);
    default:
      return [`${service}: ${JSON.stringify(input)}`];
  }
}

/** What was used but is not allowed; each once, sorted. */
export function findDenied(permissions: readonly Permission[], uses: readonly Use[]): string[] {
  const isAllowed = ({ action, resource }: Use) =>
    permissions.some(
      ({ actions, resources }) =>
        actions.includes(action) && resources.some((pattern) => matches(pattern, resource)),
    );
  const denied = uses.filter((use) => !isAllowed(use));
  return [...new Set(denied.map(({ action, resource }) => `${action} on ${resource}`))].sort();
}

function matches(pattern: string, resource: string): boolean {
  return pattern.endsWith("*") ? resource.startsWith(pattern.slice(0, -1)) : resource === pattern;
}
