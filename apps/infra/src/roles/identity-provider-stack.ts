import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { OidcProviderNative } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";

/** The issuer of the tokens of GitHub's jobs, without its scheme, as trust policies name it. */
export const githubIssuer = "token.actions.githubusercontent.com";

/**
 * GitHub as an identity provider. An account can have it only once, so it has a stack that the stages of an account
 * share; and as other repositories may use it too, it stays when the stack goes.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
export class IdentityProviderStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    new OidcProviderNative(this, "GitHub", {
      url: `https://${githubIssuer}`,
      clientIds: ["sts.amazonaws.com"],
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
