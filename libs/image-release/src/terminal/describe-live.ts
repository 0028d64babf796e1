import type { LiveResult } from "@workspace/handoff";

/** `7, before it 6`; `6, as before` */
export function describeVersion({ kind, version, previous }: LiveResult): string {
  return kind === "moved" ? `${version}, before it ${previous.version}` : `${version}, as before`;
}
