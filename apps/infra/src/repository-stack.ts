import { type FunctionOnStage, initialTag } from "@workspace/shared-config";
import { ArnFormat, CfnDeletionPolicy, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  type CfnRepository,
  ImageTagMutabilityExclusionFilter,
  Repository,
  RepositoryEncryption,
  TagMutability,
  TagStatus,
} from "aws-cdk-lib/aws-ecr";
import { Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";

export interface RepositoryStackProps extends StackProps {
  readonly fn: FunctionOnStage;
}

/** How long an image without a tag stays: a push that was cut off may be finished by the next run. */
const untaggedFor = Duration.days(7);

/** The repository of a function's images: a stack of its own, so that it outlives every failure of the function's. */
export class RepositoryStack extends Stack {
  constructor(scope: Construct, id: string, { fn, ...props }: RepositoryStackProps) {
    super(scope, id, { ...props, stackName: fn.repositoryStackName, terminationProtection: true });
    const repository = new Repository(this, "Repository", {
      repositoryName: fn.repositoryName,
      imageTagMutability: TagMutability.IMMUTABLE_WITH_EXCLUSION,
      imageTagMutabilityExclusionFilters: [ImageTagMutabilityExclusionFilter.wildcard(initialTag)],
      imageScanOnPush: true,
      encryption: RepositoryEncryption.AES_256,
      removalPolicy: RemovalPolicy.RETAIN,
      // Tagged images go only through `prune`, which knows what is live.
      lifecycleRules: [
        { description: "untagged images", tagStatus: TagStatus.UNTAGGED, maxImageAge: untaggedFor },
      ],
    });
    const functionArn = this.formatArn({
      service: "lambda",
      resource: "function",
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: fn.functionName,
    });
    repository.addToResourcePolicy(
      new PolicyStatement({
        sid: "LambdaPullsTheImage",
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal("lambda.amazonaws.com")],
        actions: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        // Of the function and of its versions: Lambda does not say for which of them it pulls.
        conditions: { StringLike: { "aws:sourceArn": [functionArn, `${functionArn}:*`] } },
      }),
    );
    // A create that failed leaves nothing that would be in the way of the next one.
    (repository.node.defaultChild as CfnRepository).cfnOptions.deletionPolicy =
      CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
  }
}
