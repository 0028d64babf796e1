import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "@workspace/shared-config";
import { TransientFailure } from "./registry-error.ts";

export interface RetryProps {
  /** What is tried, for messages: `pushing sha256:…`. */
  readonly what: string;
  readonly onRetry: (text: string) => void;
  /** Before the second attempt; it doubles from then on. @default 200 */
  readonly firstDelayMs?: number;
}

const maximalAttempts = 5;
const longestDelayMs = 10_000;

/**
 * Tries again whatever fails with TransientFailure, and nothing else.
 *
 * @throws CodedError `E_REGISTRY_UNREACHABLE` when the attempts have run out
 */
export async function withRetries<T>(
  { what, onRetry, firstDelayMs = 200 }: RetryProps,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      if (attempt >= maximalAttempts) {
        throw new CodedError({
          code: "E_REGISTRY_UNREACHABLE",
          what: `${what} failed ${maximalAttempts} times`,
          value: error.message,
          remedy:
            "Check the network and the registry, then run the command again: what was sent stays there.",
          cause: error,
        });
      }
      const delayMs = Math.min(error.retryAfterMs ?? firstDelayMs * 2 ** (attempt - 1), longestDelayMs);
      onRetry(`${what}: ${error.message}; attempt ${attempt + 1} of ${maximalAttempts} in ${delayMs} ms`);
      await sleep(delayMs);
    }
  }
}
