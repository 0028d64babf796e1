import { CodedError } from "@workspace/shared-config";

/** One repository of GitHub's REST API. */
export interface GitHub {
  /**
   * @param path below the repository: `issues/1/comments?per_page=100`
   * @returns the parsed body
   * @throws CodedError `E_GITHUB_REFUSED`, `E_GITHUB_UNREACHABLE`
   */
  request<T>(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<T>;
}

export interface GitHubProps {
  /** `https://api.github.com` */
  readonly apiUrl: string;
  /** `owner/name` */
  readonly repository: string;
  readonly token: string;
}

/** https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api */
export function buildGitHub({ apiUrl, repository, token }: GitHubProps): GitHub {
  return {
    async request<T>(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<T> {
      const url = `${apiUrl}/repos/${repository}/${path}`;
      const request = {
        method,
        headers: {
          accept: "application/vnd.github+json",
          authorization: `Bearer ${token}`,
          "x-github-api-version": "2022-11-28",
          ...(body && { "content-type": "application/json" }),
        },
        ...(body && { body: JSON.stringify(body) }),
      };
      const response = await fetch(url, request).catch((cause: unknown) => {
        throw new CodedError({
          code: "E_GITHUB_UNREACHABLE",
          what: "GitHub did not answer",
          value: url,
          remedy: "Run the job again.",
          cause,
        });
      });
      if (!response.ok) {
        throw new CodedError({
          code: "E_GITHUB_REFUSED",
          what: `GitHub refused ${method} ${url}`,
          value: `${response.status} ${await response.text()}`,
          remedy: "Check that the job's `permissions` cover it, or run the job again.",
        });
      }
      return (await response.json()) as T;
    },
  };
}
