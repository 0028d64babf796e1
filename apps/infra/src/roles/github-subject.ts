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

/** Which jobs may take a role: those of one environment, whose rules GitHub keeps, or those of pull requests. */
export type GitHubJobs = { readonly environment: string } | "pull_request";

/**
 * The `sub` of the tokens of such jobs: `repo:octo-org/octo-repo:environment:prod`.
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */
export function buildGitHubSubject(repository: GitHubRepository, jobs: GitHubJobs): string {
  return jobs === "pull_request"
    ? `repo:${repository}:pull_request`
    : `repo:${repository}:environment:${jobs.environment}`;
}
