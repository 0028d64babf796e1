/** The middle of the values; of two middles the lower. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error("no values");
  return middle;
}

/** Runs contenders in turn, round after round, so that all meet the same weather. Gives seconds by name. */
export async function race(
  rounds: number,
  contenders: Readonly<Record<string, (round: number) => Promise<void>>>,
): Promise<Record<string, number[]>> {
  const seconds: Record<string, number[]> = Object.fromEntries(
    Object.keys(contenders).map((name) => [name, []]),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(contenders)) {
      const startedMs = performance.now();
      await run(round);
      seconds[name]?.push((performance.now() - startedMs) / 1000);
    }
  }
  return seconds;
}
