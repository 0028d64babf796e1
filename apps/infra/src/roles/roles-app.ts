import type { FunctionOnStage, Stage } from "@workspace/shared-config";
import type { App } from "aws-cdk-lib";
import { createCheckedApp } from "../checked-app.ts";
import type { GitHubRepository } from "./github-subject.ts";
import { IdentityProviderStack } from "./identity-provider-stack.ts";
import { RolesStack } from "./roles-stack.ts";

export interface RolesAppProps {
  readonly account: string;
  readonly region: string;
  readonly stage: Stage;
  readonly fns: readonly FunctionOnStage[];
  readonly repository: GitHubRepository;
  /** Whether the account has GitHub as an identity provider already, as from a stage in another region. @default false */
  readonly hasProvider?: boolean;
  /** The folder of the assembly. @default one of the CDK's choice */
  readonly outdir?: string;
}

/** What an administrator deploys once for a stage: GitHub as an identity provider, and the roles of its jobs. */
export function buildRolesApp(props: RolesAppProps): App {
  const { account, region, stage, fns, repository, hasProvider = false, outdir } = props;
  const app = createCheckedApp(outdir);
  const env = { account, region };
  const roles = new RolesStack(app, rolesStackName(stage), { env, stage, fns, repository });
  if (!hasProvider) {
    const provider = new IdentityProviderStack(app, "github-identity-provider", { env });
    roles.addStackDependency(provider, "roles trust the provider");
  }
  return app;
}

/** `deploy-roles-dev` */
export function rolesStackName({ name }: Stage): string {
  return `deploy-roles-${name}`;
}
