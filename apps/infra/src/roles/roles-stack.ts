import { listPermissions, type Permission, type Purpose } from "@workspace/handoff";
import { CodedError, type FunctionOnStage, type Stage } from "@workspace/shared-config";
import { Annotations, CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import {
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  WebIdentityPrincipal,
} from "aws-cdk-lib/aws-iam";
import { RegionInfo } from "aws-cdk-lib/region-info";
import type { Construct } from "constructs";
import { acknowledgeWildcard } from "../acknowledge-wildcard.ts";
import { type CiRole, ciRoles } from "./ci-roles.ts";
import { buildGitHubClaims, type GitHubRepository } from "./github-subject.ts";
import { githubIssuer } from "./identity-provider-stack.ts";

export interface RolesStackProps extends StackProps {
  readonly stage: Stage;
  readonly fns: readonly FunctionOnStage[];
  /** The only repository whose jobs may take the roles. */
  readonly repository: GitHubRepository;
}

/**
 * Characters of a policy's JSON without white space.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const policyMaxLength = 6_144;
/** Of one role: without asking, and the most that one can ask for. @see the same page */
const policyQuota = { usual: 10, highest: 25 };

/** The roles that GitHub's jobs take on a stage, with a token instead of a stored key. */
export class RolesStack extends Stack {
  readonly #props: RolesStackProps;

  constructor(scope: Construct, id: string, props: RolesStackProps) {
    super(scope, id, props);
    this.#props = props;
    for (const role of ciRoles[props.stage.name]) this.#addRole(role);
  }

  #addRole({ purpose, jobs, variable }: CiRole): void {
    const { stage, repository } = this.#props;
    const name = purpose.charAt(0).toUpperCase() + purpose.slice(1);
    const provider = `arn:${this.#findPartition()}:iam::${this.account}:oidc-provider/${githubIssuer}`;
    const claims = { aud: ["sts.amazonaws.com"], ...buildGitHubClaims(repository, jobs) };
    const role = new Role(this, name, {
      description: `${purpose} of ${stage.name}, for jobs of ${repository}`,
      assumedBy: new WebIdentityPrincipal(provider, {
        StringEquals: Object.fromEntries(
          Object.entries(claims).map(([claim, value]) => [`${githubIssuer}:${claim}`, value]),
        ),
      }),
    });
    for (const [index, permissions] of this.#groupPermissions(purpose).entries()) {
      const policy = new ManagedPolicy(this, `${name}Policy${index + 1}`, {
        roles: [role],
        statements: permissions.map(toStatement),
      });
      for (const resource of permissions.flatMap(({ resources }) => resources)) {
        if (resource.includes("*")) acknowledgeWildcard(policy, resource, explainWildcard(resource));
      }
    }
    new CfnOutput(this, `${name}RoleArn`, { value: role.roleArn, description: variable });
  }

  /** The functions' permissions, as many functions together as a policy holds. */
  #groupPermissions(purpose: Purpose): (readonly Permission[])[] {
    const groups: FunctionOnStage[][] = [[]];
    for (const fn of this.#props.fns) {
      const group = groups.at(-1) ?? [];
      if (
        group.length > 0 &&
        measurePolicy(this.#listPermissions(purpose, [...group, fn])) > policyMaxLength
      ) {
        groups.push([fn]);
      } else {
        group.push(fn);
      }
    }
    this.#checkQuota(purpose, groups.length);
    return groups.map((fns) => this.#listPermissions(purpose, fns));
  }

  #checkQuota(purpose: Purpose, policies: number): void {
    const { usual, highest } = policyQuota;
    if (policies > highest) {
      throw new CodedError({
        code: "E_ROLE_TOO_LARGE",
        what: `the role to ${purpose} needs more than the ${highest} policies that IAM gives a role at most`,
        value: `${policies} for ${this.#props.fns.length} functions`,
        remedy: "Keep the functions in more than one workspace, by who owns them: each has roles of its own.",
      });
    }
    if (policies <= usual) return;
    const ask = `It needs ${policies} policies. Raise the account's quota "Managed policies attached to an IAM role", which is ${usual}, before you deploy it.`;
    Annotations.of(this).addInfo(`The role to ${purpose}: ${ask}`);
  }

  #listPermissions(purpose: Purpose, fns: readonly FunctionOnStage[]): readonly Permission[] {
    const scope = { partition: this.#findPartition(), account: this.account, region: this.region, fns };
    return listPermissions(purpose, scope);
  }

  /** A literal, unlike the stack's own: what is acknowledged to cdk-nag is found by it. */
  #findPartition(): string {
    const { partition } = RegionInfo.get(this.region);
    if (partition === undefined) {
      throw new CodedError({
        code: "E_REGION_UNKNOWN",
        what: "the CDK knows no partition of the stage's region",
        value: this.region,
        remedy: "Correct the region in the stage table of libs/shared-config, or update aws-cdk-lib.",
      });
    }
    return partition;
  }
}

function toStatement({ sid, actions, resources }: Permission): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: [...resources],
  });
}

function measurePolicy(permissions: readonly Permission[]): number {
  return JSON.stringify(new PolicyDocument({ statements: permissions.map(toStatement) })).length;
}

function explainWildcard(resource: string): string {
  if (resource === "*") return "Registry tokens, metrics and alarms know no resource.";
  return resource.includes(":stack/")
    ? "A stack's ARN ends with an id that CloudFormation chooses; its name is whole."
    : "The versions and aliases of this one function.";
}
