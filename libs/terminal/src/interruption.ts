import { constants } from "node:os";
import type { OnProgress } from "@workspace/handoff";
import { CodedError } from "@workspace/shared-config";

/** How a command learns that a person or the system asks it to end. */
export interface Interruption {
  /** Aborts at the first signal; its reason is the `E_INTERRUPTED`. */
  readonly signal: AbortSignal;
  /**
   * Shows progress as `show` does, and throws the `E_INTERRUPTED` out of a wait for the lease or for CloudFormation.
   * What CloudFormation has begun goes on, and the lease is freed on the way out.
   */
  endWaits(show: OnProgress): OnProgress;
}

/** As far as an interruption concerns it; main files hand in `process`. */
export type InterruptedProcess = Pick<NodeJS.Process, "exit"> & {
  readonly stderr: Pick<NodeJS.WriteStream, "write">;
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
};

const noteAfterMs = 500;
const samePressMs = 1_000;

/**
 * The first signal ends what may be ended; a second one ends the process. Launchers hand on what the terminal has
 * sent already, so the same key press comes more than once.
 */
export function listenForInterruption(process: InterruptedProcess): Interruption {
  const controller = new AbortController();
  let interruptedMs = 0;

  function interrupt(signal: NodeJS.Signals): void {
    if (!controller.signal.aborted) {
      interruptedMs = performance.now();
      controller.abort(explainInterruption(signal));
      const note = `${signal}: what is being moved is finished first; once more ends it at once\n`;
      setTimeout(() => process.stderr.write(note), noteAfterMs).unref();
    } else if (performance.now() - interruptedMs > samePressMs) {
      process.exit(128 + constants.signals[signal]);
    }
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);

  return {
    signal: controller.signal,
    endWaits: (show) => (progress) => {
      show(progress);
      if (progress.kind.startsWith("waiting")) controller.signal.throwIfAborted();
    },
  };
}

function explainInterruption(signal: NodeJS.Signals): CodedError {
  return new CodedError({
    code: "E_INTERRUPTED",
    what: "the command was interrupted",
    value: signal,
    remedy: "Run it again: it goes on where this run ended.",
  });
}
