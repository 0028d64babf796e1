import type { Clock } from "../clock.ts";

/** A clock that only the test moves on. It begins at 0. */
export interface SteppedClock extends Clock {
  /** Wakes who waits, each at its time, and lets what it does come to its next wait before the clock moves on. */
  readonly advance: (ms: number) => Promise<void>;
}

/** For what asks nobody outside of the process: it has come to its next wait once no callback is left to run. */
export function createSteppedClock(): SteppedClock {
  let nowMs = 0;
  const sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    monotonicMs: () => nowMs,
    epochMs: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { untilMs: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake);
      }),
    async advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const [next] = [...sleepers].sort((a, b) => a.untilMs - b.untilMs);
        if (next === undefined || next.untilMs > endMs) break;
        nowMs = next.untilMs;
        next.wake();
      }
      nowMs = endMs;
    },
  };
}
