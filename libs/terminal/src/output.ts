import { CodedError, exitCodeMeanings, exitCodes } from "@workspace/shared-config";
import type { CommandResult } from "./command-result.ts";

/** What goes to standard output. */
export function formatResult({ lines, value }: CommandResult, json: boolean): string {
  const shown = json ? [JSON.stringify(value, undefined, 2) ?? []].flat() : lines;
  return shown.map((line) => `${line}\n`).join("");
}

/**
 * What goes to standard error: a foreseen failure as what failed, the value that came and what to do, each cause
 * below it, and its exit code where that says more than that it failed; anything else is a bug and is shown with its
 * stack.
 */
export function formatError(error: unknown): string {
  if (!(error instanceof CodedError)) return `${error instanceof Error ? (error.stack ?? error) : error}\n`;
  const { code, what, value, remedy, exitCode } = error;
  const came = value === undefined ? [] : [formatValue(value)];
  const ends =
    exitCode === exitCodes.failed ? [] : [`  exit code ${exitCode}: ${exitCodeMeanings[exitCode]}`];
  return [`${code}: ${what}`, ...came, ...listCauses(error.cause), ...ends, `  → ${remedy}`, ""].join("\n");
}

/** A text of several lines, such as what a tool said, keeps them. */
function formatValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.includes("\n") ? text.replaceAll(/^/gm, "  | ") : `  got: ${text}`;
}

function listCauses(cause: unknown): string[] {
  if (cause instanceof AggregateError) return cause.errors.flatMap(listCauses);
  if (!(cause instanceof Error)) return [];
  const name = cause instanceof CodedError ? "" : `${cause.name}: `;
  return [`  because: ${name}${cause.message.replaceAll("\n", "\n  | ")}`, ...listCauses(cause.cause)];
}
