import type { Purpose } from "@workspace/handoff";
import type { StageName } from "@workspace/shared-config";
import type { GitHubJobs } from "./github-subject.ts";

/** A role that jobs of `.github/workflows` take. */
export interface CiRole {
  readonly purpose: Purpose;
  readonly jobs: GitHubJobs;
  /** The variable that the workflows read the role's ARN from. */
  readonly variable: `AWS_${string}_ROLE_ARN`;
}

function environmentRoles(environment: StageName): readonly CiRole[] {
  return [
    { purpose: "deploy", jobs: { environments: [environment] }, variable: "AWS_DEPLOY_ROLE_ARN" },
    { purpose: "release", jobs: { environments: [environment] }, variable: "AWS_RELEASE_ROLE_ARN" },
  ];
}

/** By stage. The promotion to `prod` reads the images of `dev`; pull requests are compared with `dev`. */
export const ciRoles: { readonly [N in StageName]: readonly CiRole[] } = {
  local: [],
  dev: [
    ...environmentRoles("dev"),
    { purpose: "source", jobs: { environments: ["prod"] }, variable: "AWS_SOURCE_ROLE_ARN" },
    { purpose: "diff", jobs: "pull_request", variable: "AWS_DIFF_ROLE_ARN" },
  ],
  prod: environmentRoles("prod"),
};
