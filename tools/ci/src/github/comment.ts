import { stripVTControlCharacters } from "node:util";
import type { GitHub } from "./client.ts";

interface Comment {
  readonly id: number;
  readonly body?: string;
}

/** GitHub refuses longer bodies; counted in characters. */
const maxBodyLength = 65_536;
const pageLength = 100;

/**
 * Writes a comment under a pull request, over the one of the same name that an earlier run left.
 * https://docs.github.com/en/rest/issues/comments
 *
 * @param props.name tells this comment from others: `infra-diff`
 * @param props.output what a command printed; shown as it is, colours left out
 */
export async function putComment(
  github: GitHub,
  props: { pullRequest: number; name: string; title: string; output: string },
): Promise<void> {
  const marker = `<!-- workspace-ci: ${props.name} -->`;
  const body = buildBody({ marker, title: props.title, output: props.output });
  const earlier = await findComment(github, props.pullRequest, marker);
  if (earlier === undefined) {
    await github.request("POST", `issues/${props.pullRequest}/comments`, { body });
  } else {
    await github.request("PATCH", `issues/comments/${earlier.id}`, { body });
  }
}

async function findComment(
  github: GitHub,
  pullRequest: number,
  marker: string,
): Promise<Comment | undefined> {
  for (let page = 1; ; page += 1) {
    const path = `issues/${pullRequest}/comments?per_page=${pageLength}&page=${page}`;
    const comments = await github.request<Comment[]>("GET", path);
    const found = comments.find((comment) => comment.body?.startsWith(marker));
    if (found !== undefined || comments.length < pageLength) return found;
  }
}

export function buildBody(props: { marker: string; title: string; output: string }): string {
  const output = stripVTControlCharacters(props.output).trimEnd();
  const longestRun = Math.max(2, ...Array.from(output.matchAll(/`+/g), ([run]) => run.length));
  // A fence is closed by a run of backticks that is at least as long, so nothing in the output closes it.
  const fence = "`".repeat(longestRun + 1);
  const frame = (text: string) => `${props.marker}\n### ${props.title}\n\n${fence}\n${text}\n${fence}\n`;
  const room = maxBodyLength - frame("").length;
  if (output.length <= room) return frame(output);
  const notice = "\n… cut: the job's log has all of it";
  return frame(output.slice(0, room - notice.length) + notice);
}
