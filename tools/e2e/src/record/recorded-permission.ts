import type { RecordedCall } from "@workspace/local-aws";

/** What a call needs: an action of IAM, on a resource. */
export interface NeededPermission {
  readonly action: string;
  readonly resource: string;
}

type Input = Readonly<Record<string, unknown>>;

/** Operations whose action has another name. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html */
const actionNames: Readonly<Record<string, string>> = { Invoke: "InvokeFunction" };

/** Services that sign under another name than IAM has for them. */
const actionPrefixes: Readonly<Record<string, string>> = { monitoring: "cloudwatch" };

/** Of these IAM knows no resource, or wants no permission. */
const withoutResource = new Set([
  "ecr:GetAuthorizationToken",
  "cloudwatch:GetMetricData",
  "cloudwatch:DescribeAlarms",
]);
const withoutPermission = new Set(["sts:GetCallerIdentity"]);

/** One entry for each resource that the call names; none where no permission is needed. */
export function listNeededPermissions(
  { service, operation, input }: RecordedCall,
  region: string,
  account: string,
): NeededPermission[] {
  const action = `${actionPrefixes[service] ?? service}:${actionNames[operation] ?? operation}`;
  if (withoutPermission.has(action)) return [];
  if (withoutResource.has(action)) return [{ action, resource: "*" }];
  const arn = (name: string) => `arn:aws:${service}:${region}:${account}:${name}`;
  return listResources(service, input as Input, arn).map((resource) => ({ action, resource }));
}

function listResources(service: string, input: Input, arn: (name: string) => string): string[] {
  switch (service) {
    case "ssm":
      return [input.Names ?? input.Name].flat().map((name) => arn(`parameter${name}`));
    case "ecr":
      return [input.repositoryNames ?? input.repositoryName].flat().map((name) => arn(`repository/${name}`));
    case "lambda": {
      const qualifier = input.Qualifier ?? input.Name;
      return [arn(`function:${input.FunctionName}${qualifier === undefined ? "" : `:${qualifier}`}`)];
    }
    case "cloudformation":
      return [arn(`stack/${String(input.StackName).replace(/^arn:.*:stack\/([^/]+)\/.*$/, "$1")}/an-id`)];
    case "sts":
      return [String(input.RoleArn)];
    default:
      return [arn("*")];
  }
}
