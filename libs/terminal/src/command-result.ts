import type { ExitCode } from "@workspace/shared-config";

/** What a command has to say in the end: the same for a person and for a machine. */
export interface CommandResult {
  /** For a person. */
  readonly lines: readonly string[];
  /** With `--json`: one JSON document; `undefined` where each line was printed as it came. */
  readonly value: object | undefined;
  /** @default exitCodes.done */
  readonly exitCode?: ExitCode;
}
