import { CodedError } from "@workspace/shared-config";

/**
 * A repository as GitHub's tokens name it: `octo-org/octo-repo`; or with the ids of both, `octo-org@1234/octo-repo@5678`,
 * where it was made, renamed or moved since the middle of 2026.
 * @see https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
 */
export type GitHubRepository = `${string}/${string}`;

/** No wildcards, so that a trust policy names one repository. */
const repositoryPattern = /^[A-Za-z0-9-]+(?:\/[\w.-]+|@\d+\/[\w.-]+@\d+)$/;

/** @throws CodedError `E_REPOSITORY_MALFORMED` */
export function parseGitHubRepository(value: string): GitHubRepository {
  if (!isGitHubRepository(value)) {
    throw new CodedError({
      code: "E_REPOSITORY_MALFORMED",
      what: "not the name of a GitHub repository",
      value,
      remedy:
        "Give it as the repository's OIDC settings show it behind `repo:`: OWNER/NAME, or OWNER@ID/NAME@ID where it is newer.",
    });
  }
  return value;
}

function isGitHubRepository(value: string): value is GitHubRepository {
  return repositoryPattern.test(value);
}

/** Which jobs may take a role: those of some environments, on the branch that is deployed, or those of pull requests. */
export type GitHubJobs = { readonly environments: readonly string[] } | "pull_request";

/** The branch that the workflows of the environments run on. */
const deployedRef = "refs/heads/main";

/**
 * What the tokens of such jobs say of themselves, by the claim: `{ sub: ["repo:octo-org/octo-repo:environment:prod"],
 * ref: ["refs/heads/main"] }`, one of each list. The ref holds where the environment has no rules: a branch could name the environment in
 * a workflow of its own. It is every job's, unlike `job_workflow_ref`, which GitHub documents for reusable workflows.
 * @see https://docs.github.com/en/actions/reference/security/oidc
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
export function buildGitHubClaims(
  repository: GitHubRepository,
  jobs: GitHubJobs,
): Readonly<Record<string, readonly string[]>> {
  if (jobs === "pull_request") return { sub: [`repo:${repository}:pull_request`] };
  const subjects = jobs.environments.map((environment) => `repo:${repository}:environment:${environment}`);
  return { sub: subjects, ref: [deployedRef] };
}
