import { CodedError } from "@workspace/shared-config";
import { explainFailure } from "./aws-error.ts";

/**
 * A failed call of AWS that nothing closer to it has explained, as a person can act on it: what is not allowed, not
 * there or not reachable. Any other error is given back as it is.
 *
 * @param verify the command that looks at what is missing: `nx run lambda-app:verify --stage dev`
 */
export function explainAwsFailure(error: unknown, verify: string): unknown {
  if (!isFailedCall(error)) return error;
  const explained = explainFailure(error, "E_AWS_CALL", "a call of AWS");
  if (explained !== error) return explained;
  return new CodedError({
    code: "E_AWS_CALL_FAILED",
    what: `a call of AWS failed: ${error.name}`,
    value: error.message,
    remedy: `\`${verify}\` says what is missing. Then run the command again: it goes on where this run ended.`,
    cause: error,
  });
}

/** The SDK marks every failed request, also one that got no answer. Without credentials it makes none. */
function isFailedCall(error: unknown): error is Error {
  return error instanceof Error && ("$metadata" in error || error.name.endsWith("ProviderError"));
}
