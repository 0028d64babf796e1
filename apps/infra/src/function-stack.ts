import { type FunctionOnStage, initialTag, liveAlias } from "@workspace/shared-config";
import { ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Repository } from "aws-cdk-lib/aws-ecr";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import { Effect, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Alias,
  Architecture,
  type CfnAlias,
  CfnPermission,
  CfnUrl,
  CfnVersion,
  DockerImageCode,
  DockerImageFunction,
  Version,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { acknowledgeWildcard } from "./acknowledge-wildcard.ts";
import type { FunctionSettings } from "./function-settings.ts";
import { InitialImage } from "./initial-image.ts";

/** Which image the template names: the published one, or the placeholder with what it is made from. */
export type DeployedImage =
  | { readonly kind: "published"; readonly tag: string }
  | { readonly kind: "initial"; readonly contextDirectory: string; readonly baseImage: string };

export interface FunctionStackProps extends StackProps {
  readonly fn: FunctionOnStage;
  readonly settings: FunctionSettings;
  readonly image: DeployedImage;
}

/**
 * The function with its alias, URL, role and log group. It never leaves the template. Version and alias stay for ever as
 * they were created: traffic is moved by the hand-off, and CloudFormation has no reason to touch them.
 */
export class FunctionStack extends Stack {
  constructor(scope: Construct, id: string, { fn, settings, image, ...props }: FunctionStackProps) {
    super(scope, id, { ...props, stackName: fn.stackName });
    const repository = Repository.fromRepositoryName(this, "Repository", fn.repositoryName);
    const logGroup = new LogGroup(this, "LogGroup", {
      logGroupName: `/aws/lambda/${fn.functionName}`,
      retention: fn.stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    this.#allowOwnLogs(role, `/aws/lambda/${fn.functionName}:*`);
    const lambda = new DockerImageFunction(this, "Function", {
      functionName: fn.functionName,
      code: DockerImageCode.fromEcr(repository, {
        tagOrDigest: image.kind === "published" ? image.tag : initialTag,
      }),
      architecture: fn.architecture === "arm64" ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: settings.memoryMiB,
      timeout: Duration.seconds(settings.timeoutSeconds),
      environment: settings.environment,
      role,
      logGroup,
    });
    if (image.kind === "initial") {
      const platform = fn.architecture === "arm64" ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64;
      lambda.node.addDependency(new InitialImage(this, "InitialImage", { repository, platform, ...image }));
    }

    const { attrVersion } = new CfnVersion(this, "FirstVersion", { functionName: lambda.functionName });
    const version = Version.fromVersionAttributes(this, "FirstVersionOf", { lambda, version: attrVersion });
    // What sends events is attached to this: the function by itself runs the newest code, proven or not.
    const live = new Alias(this, "Live", { aliasName: liveAlias, version });
    const alias = live.node.defaultChild as CfnAlias;
    // CloudFormation takes another logical id for another alias.
    alias.overrideLogicalId("Live");
    if (fn.stage.functionUrlAuth !== undefined) this.#addUrl(lambda, alias, fn.stage.functionUrlAuth);

    new CfnOutput(this, "FunctionName", { value: lambda.functionName });
    new CfnOutput(this, "ImageTag", { value: image.kind === "published" ? image.tag : initialTag });
  }

  #allowOwnLogs(role: Role, resourceName: string): void {
    const service = { service: "logs", resource: "log-group", arnFormat: ArnFormat.COLON_RESOURCE_NAME };
    role.addToPolicy(
      new PolicyStatement({
        sid: "WriteOwnLogs",
        effect: Effect.ALLOW,
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [this.formatArn({ ...service, resourceName })],
      }),
    );
    acknowledgeWildcard(
      role,
      this.formatArn({ ...service, partition: "<AWS::Partition>", resourceName }),
      "The streams of the function's own log group; Lambda names them.",
    );
  }

  #addUrl(lambda: DockerImageFunction, alias: CfnAlias, authType: "NONE" | "AWS_IAM"): void {
    const url = new CfnUrl(this, "Url", {
      targetFunctionArn: lambda.functionArn,
      qualifier: liveAlias,
      authType,
    });
    url.addResourceDependency(alias);
    if (authType === "NONE") this.#openToAll(alias);
    new CfnOutput(this, "FunctionUrl", { value: url.attrFunctionUrl });
  }

  /** @see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html#urls-auth-none */
  #openToAll(alias: CfnAlias): void {
    new CfnPermission(this, "AllMayUseTheUrl", {
      functionName: alias.ref,
      action: "lambda:InvokeFunctionUrl",
      principal: "*",
      functionUrlAuthType: "NONE",
    });
    new CfnPermission(this, "AllMayInvokeThroughTheUrl", {
      functionName: alias.ref,
      action: "lambda:InvokeFunction",
      principal: "*",
      invokedViaFunctionUrl: true,
    });
  }
}
