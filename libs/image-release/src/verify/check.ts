import { CodedError } from "@workspace/shared-config";

/** `NG`: a release or deploy would fail; `SKIP`: could not be looked at, and says why. */
export type Verdict = "OK" | "NG" | "SKIP";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found. */
  readonly detail: string;
  /** What to do. @default undefined: nothing */
  readonly remedy?: string;
  readonly children?: readonly Check[];
}

export type Finding = Omit<Check, "name">;

/** Runs one check; a foreseen failure is its finding, all others are rethrown. */
export async function check(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { code, what, value, remedy } = error;
    const came = value === undefined ? "" : ` (got ${JSON.stringify(value)})`;
    return { name, verdict: "NG", detail: `${code}: ${what}${came}`, remedy };
  }
}

export function isOk(checks: readonly Check[]): boolean {
  return checks.every(({ verdict, children = [] }) => verdict !== "NG" && isOk(children));
}

/** A tree of lines. */
export function formatChecks(checks: readonly Check[], indent = "  "): string[] {
  return checks.flatMap(({ name, verdict, detail, remedy, children = [] }) => [
    `${indent}${verdict.padEnd(4)} ${name}${detail === "" ? "" : `: ${detail}`}`,
    ...(remedy === undefined ? [] : [`${indent}     → ${remedy}`]),
    ...formatChecks(children, `${indent}     `),
  ]);
}
