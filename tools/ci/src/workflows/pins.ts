import { isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Finding } from "./finding.ts";

/** A commit of an action: `owner/repo@40 hex digits` or `owner/repo/path@…`. */
const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
/** An action of this repository, which the checked out commit pins. */
const ownAction = /^\.\//;
const versionComment = /^\s*v\d+(\.\d+)*/;

/**
 * Every `uses:` names a commit, and says in a comment which version that is: a tag can be moved by whoever
 * gets hold of the action's repository.
 * https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions
 *
 * @param source a workflow's or a composite action's YAML
 */
export function findUnpinned(file: string, source: string): Finding[] {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines });
  const findings: Finding[] = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    message: error.message,
  }));
  visit(document, {
    Pair(_key, { key, value }) {
      if (!isScalar(key) || key.value !== "uses" || !isScalar(value)) return;
      const action = String(value.value);
      if (ownAction.test(action)) return;
      const line = lines.linePos(value.range?.[0] ?? 0).line;
      if (!pinned.test(action)) {
        findings.push({
          file,
          line,
          message: `${action} is not pinned to a commit: write owner/action@<40 hex digits>`,
        });
      } else if (!versionComment.test(value.comment ?? "")) {
        findings.push({
          file,
          line,
          message: `${action} does not say its version: add a comment such as # v1.2.3`,
        });
      }
    },
  });
  return findings;
}
