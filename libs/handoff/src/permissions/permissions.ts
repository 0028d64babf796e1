import type { FunctionOnStage } from "@workspace/shared-config";

/** What an identity is for: the two sides; `source` to copy images from, and `diff` to compare with. */
export const purposes = ["deploy", "release", "source", "diff"] as const;
export type Purpose = (typeof purposes)[number];

/** What an identity may do with some resources; one statement of its policy. */
export interface Permission {
  /** Upper and lower case letters and digits only, as IAM wants it. */
  readonly sid: string;
  readonly actions: readonly string[];
  /** ARNs, or `*` where the actions know no resource. */
  readonly resources: readonly string[];
}

export interface Scope {
  /** `aws`, `aws-cn`, … */
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  readonly fns: readonly FunctionOnStage[];
}

/** The names of everything that the functions own, as ARNs. */
interface Owned {
  readonly tags: readonly string[];
  readonly leases: readonly string[];
  readonly repositories: readonly string[];
  readonly functions: readonly string[];
  /** Published versions and aliases. */
  readonly versions: readonly string[];
  readonly stacks: readonly string[];
}

/**
 * What the commands of each side call, on the functions' own resources, and nothing more. The CDK's own roles, which
 * only `deploy` may take, do what CloudFormation does.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function listPermissions(purpose: Purpose, scope: Scope): Permission[] {
  const owned = listOwned(scope);
  switch (purpose) {
    case "deploy":
      return [...listMovePermissions(owned), ...listDeployPermissions(owned, scope)];
    case "release":
      return [...listMovePermissions(owned), ...listReleasePermissions(owned)];
    case "source":
      return [
        { sid: "ReadTag", actions: ["ssm:GetParameter"], resources: owned.tags },
        readImages(owned),
        logInToRegistry,
      ];
    case "diff":
      return [
        { sid: "ReadTags", actions: ["ssm:GetParameter", "ssm:GetParameters"], resources: owned.tags },
        readImages(owned),
        {
          sid: "ReadFunction",
          actions: ["lambda:GetFunctionConfiguration"],
          resources: [...owned.functions, ...owned.versions],
        },
        {
          sid: "ReadStacks",
          actions: ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
          resources: owned.stacks,
        },
      ];
  }
}

/** Tokens know no resource. */
const logInToRegistry: Permission = {
  sid: "LogInToRegistry",
  actions: ["ecr:GetAuthorizationToken"],
  resources: ["*"],
};

function readImages({ repositories }: Owned): Permission {
  return {
    sid: "ReadImages",
    actions: [
      "ecr:DescribeRepositories",
      "ecr:DescribeImages",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ],
    resources: repositories,
  };
}

/** The lease, and making a version live: both sides do that. */
function listMovePermissions(owned: Owned): Permission[] {
  return [
    {
      sid: "HoldLease",
      actions: ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"],
      resources: owned.leases,
    },
    readImages(owned),
    {
      sid: "MakeLive",
      actions: [
        "lambda:GetFunctionConfiguration",
        "lambda:GetAlias",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
      ],
      resources: [...owned.functions, ...owned.versions],
    },
    { sid: "SmokeCheck", actions: ["lambda:InvokeFunction"], resources: owned.versions },
    { sid: "WaitForStacks", actions: ["cloudformation:DescribeStacks"], resources: owned.stacks },
  ];
}

function listDeployPermissions({ tags, stacks }: Owned, { partition, account, region }: Scope): Permission[] {
  const cdkRoles = ["deploy", "file-publishing", "image-publishing"];
  return [
    { sid: "ReadTags", actions: ["ssm:GetParameter", "ssm:GetParameters"], resources: tags },
    {
      sid: "ReadBootstrapVersion",
      actions: ["ssm:GetParameter"],
      resources: [`arn:${partition}:ssm:${region}:${account}:parameter/cdk-bootstrap/hnb659fds/version`],
    },
    {
      sid: "PrepareWithTheCdk",
      actions: ["sts:AssumeRole"],
      resources: cdkRoles.map(
        (role) => `arn:${partition}:iam::${account}:role/cdk-hnb659fds-${role}-role-${account}-${region}`,
      ),
    },
    {
      sid: "CarryChangeSetsOut",
      actions: [
        "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:DescribeStackEvents",
        "cloudformation:GetTemplate",
      ],
      resources: stacks,
    },
  ];
}

function listReleasePermissions({ tags, repositories, functions, versions, stacks }: Owned): Permission[] {
  return [
    {
      sid: "PublishTag",
      actions: ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:PutParameter"],
      resources: tags,
    },
    logInToRegistry,
    {
      sid: "PushAndPruneImages",
      actions: [
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:BatchDeleteImage",
      ],
      resources: repositories,
    },
    // Metrics and alarms know no resource that could be narrowed to a function.
    {
      sid: "WatchCanary",
      actions: ["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"],
      resources: ["*"],
    },
    {
      sid: "SeeWhatPruneKeeps",
      actions: ["lambda:ListAliases", "lambda:ListVersionsByFunction"],
      resources: functions,
    },
    { sid: "SeeWhatTheTemplateNames", actions: ["cloudformation:GetTemplate"], resources: stacks },
    // Versions only: the function itself has another ARN.
    { sid: "PruneVersions", actions: ["lambda:DeleteFunction"], resources: versions },
  ];
}

function listOwned({ partition, account, region, fns }: Scope): Owned {
  const arns = (service: string, listNames: (fn: FunctionOnStage) => readonly string[]) =>
    fns.flatMap(listNames).map((name) => `arn:${partition}:${service}:${region}:${account}:${name}`);
  const functions = arns("lambda", ({ functionName }) => [`function:${functionName}`]);
  return {
    tags: arns("ssm", ({ imageTagParameter }) => [`parameter${imageTagParameter}`]),
    leases: arns("ssm", ({ leaseParameter }) => [`parameter${leaseParameter}`]),
    repositories: arns("ecr", ({ repositoryName }) => [`repository/${repositoryName}`]),
    functions,
    versions: functions.map((arn) => `${arn}:*`),
    stacks: arns("cloudformation", ({ stackName, repositoryStackName }) => [
      `stack/${stackName}/*`,
      `stack/${repositoryStackName}/*`,
    ]),
  };
}
