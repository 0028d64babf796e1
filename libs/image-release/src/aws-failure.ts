import { CodedError, type FunctionOnStage } from "@workspace/shared-config";

/** What the SDK says where it has no credentials to sign a request with. */
const credentialErrors = ["CredentialsProviderError", "TokenProviderError"];

/**
 * A failed call of AWS that nothing closer to it has explained, as a person can act on it: what is not allowed, not
 * there or not reachable. Any other error is given back as it is.
 */
export function explainAwsFailure(error: unknown, { project, stage }: FunctionOnStage): unknown {
  if (!(error instanceof Error) || error instanceof CodedError) return error;
  if (credentialErrors.includes(error.name)) {
    return new CodedError({
      code: "E_CREDENTIALS",
      what: "there are no AWS credentials",
      value: error.message,
      remedy: "Log in (`aws sso login`) or set AWS_PROFILE; on `local`, run the command through `stage-run`.",
      cause: error,
    });
  }
  // The SDK's middleware marks every failed request so, also one that got no answer.
  if (!("$metadata" in error)) return error;
  return new CodedError({
    code: "E_AWS_CALL_FAILED",
    what: `a call of AWS failed: ${error.name}`,
    value: error.message,
    remedy: `\`nx run ${project}:verify --stage ${stage.name}\` says what is missing. Then run the command again: it goes on where this run ended.`,
    cause: error,
  });
}
