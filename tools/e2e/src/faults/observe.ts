import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
} from "@aws-sdk/client-cloudformation";
import { DescribeImagesCommand, ECRClient, type ImageDetail } from "@aws-sdk/client-ecr";
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListVersionsByFunction,
} from "@aws-sdk/client-lambda";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { type FunctionOnStage, initialTag, liveAlias } from "@workspace/shared-config";
import type { Environment } from "../stage-session.ts";

/** Everything that the promises speak of, read from the services themselves. */
export interface Observed {
  readonly publishedTag: string | undefined;
  readonly live: { readonly digest: string; readonly memoryMiB: number } | undefined;
  /** Weights beside the alias's own version; an undisturbed command leaves none. */
  readonly weighted: readonly string[];
  readonly latestDigest: string | undefined;
  /** Digests of every published version, in order. */
  readonly versionDigests: readonly string[];
  readonly stackStatus: string | undefined;
  /** The tag in the function's `ImageUri` of the stack's template. */
  readonly templateTag: string | undefined;
  /** Digest by tag. */
  readonly images: ReadonlyMap<string, string>;
}

export interface Observer {
  observe(fn: FunctionOnStage): Promise<Observed>;
}

export function createObserver(environment: Environment): Observer {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = environment;
  const config = {
    endpoint: AWS_ENDPOINT_URL ?? "",
    region: AWS_REGION ?? "",
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID ?? "", secretAccessKey: AWS_SECRET_ACCESS_KEY ?? "" },
  };
  const clients = {
    ssm: new SSMClient(config),
    lambda: new LambdaClient(config),
    ecr: new ECRClient(config),
    cloudformation: new CloudFormationClient(config),
  };
  return { observe: (fn) => observe(clients, fn) };
}

interface Clients {
  readonly ssm: SSMClient;
  readonly lambda: LambdaClient;
  readonly ecr: ECRClient;
  readonly cloudformation: CloudFormationClient;
}

async function observe(
  { ssm, lambda, ecr, cloudformation }: Clients,
  fn: FunctionOnStage,
): Promise<Observed> {
  const { functionName: FunctionName, stackName: StackName, repositoryName } = fn;
  const published = await unlessMissing(ssm.send(new GetParameterCommand({ Name: fn.imageTagParameter })));
  const alias = await unlessMissing(lambda.send(new GetAliasCommand({ FunctionName, Name: liveAlias })));
  const live = await unlessMissing(
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: liveAlias })),
  );
  const latest = await unlessMissing(lambda.send(new GetFunctionConfigurationCommand({ FunctionName })));
  const stacks = await unlessMissing(cloudformation.send(new DescribeStacksCommand({ StackName })));
  const template = await unlessMissing(cloudformation.send(new GetTemplateCommand({ StackName })));
  const described = await unlessMissing(
    ecr.send(new DescribeImagesCommand({ repositoryName, maxResults: 1000 })),
  );
  const versions: string[] = [];
  if (latest !== undefined) {
    for await (const page of paginateListVersionsByFunction({ client: lambda }, { FunctionName })) {
      for (const { Version, CodeSha256 } of page.Versions ?? []) {
        if (Version !== "$LATEST" && CodeSha256 !== undefined) versions.push(CodeSha256);
      }
    }
  }
  return {
    publishedTag: published?.Parameter?.Value,
    live: live && { digest: live.CodeSha256 ?? "", memoryMiB: live.MemorySize ?? 0 },
    weighted: Object.keys(alias?.RoutingConfig?.AdditionalVersionWeights ?? {}),
    latestDigest: latest?.CodeSha256,
    versionDigests: versions,
    stackStatus: stacks?.Stacks?.[0]?.StackStatus,
    templateTag: findImageTag(template?.TemplateBody),
    images: tagsByDigest(described?.imageDetails ?? []),
  };
}

function tagsByDigest(images: readonly ImageDetail[]): Map<string, string> {
  const tagged = images.flatMap(({ imageTags = [], imageDigest = "" }) =>
    imageTags.map((tag): [string, string] => [tag, imageDigest.replace("sha256:", "")]),
  );
  return new Map(tagged.sort(([a], [b]) => a.localeCompare(b)));
}

const imageTagPattern = new RegExp(`:(${initialTag}|[0-9a-f]{12}(?:-dirty-[0-9a-f]{12})?)"`);

function findImageTag(template: string | undefined): string | undefined {
  const functions = Object.values<{ Type: string; Properties: object }>(
    JSON.parse(template || "{}").Resources ?? {},
  );
  const image = functions.find(
    ({ Type, Properties }) =>
      Type === "AWS::Lambda::Function" &&
      "ImageConfig" in Properties === false &&
      JSON.stringify(Properties).includes("ImageUri"),
  );
  return image && imageTagPattern.exec(JSON.stringify(image.Properties))?.[1];
}

const missing = new Set(["ParameterNotFound", "ResourceNotFoundException", "RepositoryNotFoundException"]);

/** `undefined` where the answer says that the thing does not exist; CloudFormation says so as a ValidationError. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (missing.has(error.name)) return undefined;
    if (error.name === "ValidationError" && error.message.endsWith("does not exist")) return undefined;
    throw error;
  }
}
