import type { GitHub } from "./client.ts";

interface WorkflowRun {
  readonly head_sha: string;
  readonly run_number: number;
}

/**
 * The commit of the newest run that succeeded. Newest by number, which a re-run keeps: an old run that
 * succeeds late isn't the last word.
 * https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
 *
 * @param props.workflow the file's name: `main.yml`
 * @returns undefined where none has succeeded
 */
export async function findLastSuccess(
  github: GitHub,
  props: { workflow: string; branch: string },
): Promise<string | undefined> {
  const query = new URLSearchParams({ branch: props.branch, status: "success", per_page: "100" });
  const path = `actions/workflows/${encodeURIComponent(props.workflow)}/runs?${query}`;
  const { workflow_runs: runs } = await github.request<{ workflow_runs: WorkflowRun[] }>("GET", path);
  return runs.toSorted((one, other) => other.run_number - one.run_number)[0]?.head_sha;
}
