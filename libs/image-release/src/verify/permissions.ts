import type { FunctionOnStage } from "@workspace/shared-config";

/** Actions on the same resources. */
export interface PermissionGroup {
  readonly subject: string;
  readonly actions: readonly string[];
  /** ARNs, or `*` where the action knows no resource. */
  readonly resources: readonly string[];
}

export interface AccountAndRegion {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/** The side that an identity is for: a release role need not be able to deploy. */
export const sides = ["release", "deploy"] as const;
export type Side = (typeof sides)[number];

/** What the commands of a side call. @see https://docs.aws.amazon.com/service-authorization/latest/reference/ */
export function listPermissions(
  fn: FunctionOnStage,
  { partition, account, region }: AccountAndRegion,
  side: Side,
): PermissionGroup[] {
  const arn = (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  const functionArn = arn("lambda", `function:${fn.functionName}`);
  const repository = [arn("ecr", `repository/${fn.repositoryName}`)];
  const parameter = (name: string) => arn("ssm", `parameter${name}`);
  const stacks = [fn.stackName, fn.repositoryStackName].map((name) =>
    arn("cloudformation", `stack/${name}/*`),
  );

  const shared: PermissionGroup[] = [
    {
      subject: "lease",
      actions: ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"],
      resources: [parameter(fn.leaseParameter)],
    },
    {
      subject: "function",
      actions: [
        "lambda:GetFunctionConfiguration",
        "lambda:GetAlias",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
      ],
      resources: [functionArn],
    },
    { subject: "versions", actions: ["lambda:InvokeFunction"], resources: [`${functionArn}:*`] },
    {
      subject: "images",
      actions: [
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
      ],
      resources: repository,
    },
    { subject: "stack", actions: ["cloudformation:DescribeStacks"], resources: stacks },
  ];
  const own: Readonly<Record<Side, readonly PermissionGroup[]>> = {
    release: [
      {
        subject: "published tag",
        actions: ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"],
        resources: [parameter(fn.imageTagParameter)],
      },
      { subject: "registry login", actions: ["ecr:GetAuthorizationToken"], resources: ["*"] },
      {
        subject: "push",
        actions: [
          "ecr:BatchCheckLayerAvailability",
          "ecr:InitiateLayerUpload",
          "ecr:UploadLayerPart",
          "ecr:CompleteLayerUpload",
          "ecr:PutImage",
        ],
        resources: repository,
      },
      {
        subject: "canary",
        actions: ["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"],
        resources: ["*"],
      },
    ],
    deploy: [
      {
        subject: "published tag",
        actions: ["ssm:GetParameter", "ssm:GetParameters"],
        resources: [parameter(fn.imageTagParameter)],
      },
      {
        subject: "CDK roles",
        actions: ["sts:AssumeRole"],
        resources: ["deploy", "file-publishing", "image-publishing", "lookup"].map(
          (role) => `arn:${partition}:iam::${account}:role/cdk-hnb659fds-${role}-role-${account}-${region}`,
        ),
      },
    ],
  };
  return [...own[side], ...shared];
}

/**
 * The IAM principal of a caller, as the policy simulator wants it: the role of a session. A session's ARN leaves the
 * role's path out, so a role with a path is not found by it.
 * @returns `undefined` for a caller that has no policies of its own, such as the root user
 */
export function findPrincipal(callerArn: string): string | undefined {
  const session = /^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(callerArn);
  if (session !== null) return `arn:${session[1]}:iam::${session[2]}:role/${session[3]}`;
  return /^arn:[\w-]+:iam::\d+:(?:user|role)\//.test(callerArn) ? callerArn : undefined;
}
