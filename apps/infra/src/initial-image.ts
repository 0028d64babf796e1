import { initialTag } from "@workspace/shared-config";
import { Validations } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import { DockerImageAsset, type Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ManagedPolicy, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { DockerImageName, ECRDeployment } from "cdk-ecr-deployment";
import { Construct } from "constructs";
import { acknowledgeWildcard } from "./acknowledge-wildcard.ts";

export interface InitialImageProps {
  readonly repository: IRepository;
  readonly contextDirectory: string;
  readonly baseImage: string;
  readonly platform: Platform;
}

/** The placeholder, built and copied into the function's repository. Gone from the template with the first release. */
export class InitialImage extends Construct {
  constructor(scope: Construct, id: string, props: InitialImageProps) {
    super(scope, id);
    const asset = new DockerImageAsset(this, "Asset", {
      directory: props.contextDirectory,
      platform: props.platform,
      buildArgs: { BASE_IMAGE: props.baseImage },
    });
    const role = this.#addProviderRole(asset.repository, props.repository);
    const deployment = new ECRDeployment(this, "Deployment", {
      src: new DockerImageName(asset.imageUri),
      dest: new DockerImageName(props.repository.repositoryUriForTag(initialTag)),
      // On its own the provider would take the right to write to every repository of the account.
      role: role.withoutPolicyUpdates(),
    });
    // Its policy too, which the provider knows nothing of.
    deployment.node.addDependency(role);
  }

  #addProviderRole(source: IRepository, target: IRepository): Role {
    const logs = "service-role/AWSLambdaBasicExecutionRole";
    const role = new Role(this, "ProviderRole", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(logs)],
    });
    source.grantPull(role);
    target.grantPullPush(role);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${logs}]`,
      reason: "The provider's log group has a name of CloudFormation's choice.",
    });
    acknowledgeWildcard(role, "*", "Registry tokens know no resource.");
    return role;
  }
}
