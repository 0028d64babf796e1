import { setTimeout as delay } from "node:timers/promises";

/** Time, as far as the protocol needs it. */
export interface Clock {
  /** Never goes back and has no meaning elsewhere: what leases are measured with. */
  readonly monotonicMs: () => number;
  /** Epoch milliseconds: for people, and for the metric window of a canary. */
  readonly epochMs: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  wait: async (ms, signal) => {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
};
