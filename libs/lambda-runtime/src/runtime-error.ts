/** An error as the Runtime API takes it. @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror */
export interface RuntimeError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** Whatever was thrown: an Error, or any other value. */
export function buildRuntimeError(thrown: unknown): RuntimeError {
  if (!(thrown instanceof Error))
    return { errorType: typeof thrown, errorMessage: String(thrown), stackTrace: [] };
  const stackTrace = (thrown.stack ?? "")
    .split("\n")
    .slice(1)
    .map((line) => line.trim());
  return { errorType: thrown.name, errorMessage: thrown.message, stackTrace };
}
