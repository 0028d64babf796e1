import type { Clock } from "../clock.ts";

/** A clock that stands still, but for who waits: then it has just moved on. It begins at 0. */
export function createManualClock(): Clock {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    epochMs: () => nowMs,
    wait: async (ms) => {
      nowMs += ms;
    },
  };
}
