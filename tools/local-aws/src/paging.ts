export interface Page<T> {
  readonly items: readonly T[];
  /** What asks for the rest; absent where there is none. */
  readonly nextToken?: string;
}

/** @param nextToken how many items came before, as an earlier page said it */
export function takePage<T>(all: readonly T[], limit: number, nextToken = "0"): Page<T> {
  const start = Number(nextToken);
  const end = start + limit;
  return { items: all.slice(start, end), ...(end < all.length && { nextToken: String(end) }) };
}
