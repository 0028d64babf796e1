import { explainFailure } from "@workspace/handoff";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";

/**
 * A failed call of AWS that nothing closer to it has explained, as a person can act on it: what is not allowed, not
 * there or not reachable. Any other error is given back as it is.
 */
export function explainAwsFailure(error: unknown, { project, stage }: FunctionOnStage): unknown {
  if (!isFailedCall(error)) return error;
  const explained = explainFailure(error, "E_AWS_CALL", "a call of AWS");
  if (explained !== error) return explained;
  return new CodedError({
    code: "E_AWS_CALL_FAILED",
    what: `a call of AWS failed: ${error.name}`,
    value: error.message,
    remedy: `\`nx run ${project}:verify --stage ${stage.name}\` says what is missing. Then run the command again: it goes on where this run ended.`,
    cause: error,
  });
}

/** The SDK marks every failed request, also one that got no answer. Without credentials it makes none. */
function isFailedCall(error: unknown): error is Error {
  return error instanceof Error && ("$metadata" in error || error.name.endsWith("ProviderError"));
}
