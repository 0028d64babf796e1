import { CodedError } from "@workspace/shared-config";

/** Whether AWS answered with one of these errors. */
export function isAwsError(error: unknown, ...names: readonly string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}

/** Gives `undefined` where AWS answers with one of the errors; throws all others. */
export async function unlessAwsError<T>(
  answer: Promise<T>,
  ...names: readonly string[]
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isAwsError(error, ...names)) return undefined;
    throw error;
  }
}

interface KnownFailure {
  readonly code: "DENIED" | "THROTTLED" | "CREDENTIALS_EXPIRED" | "CREDENTIALS_INVALID" | "UNREACHABLE";
  readonly what: string;
  readonly remedy: string;
  /** As in `error.name`, or for the network in `error.code`. */
  readonly names: readonly string[];
}

/** @see https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html */
const knownFailures: readonly KnownFailure[] = [
  {
    code: "DENIED",
    what: "is not allowed to this identity",
    remedy:
      "Run `aws sts get-caller-identity`: is it the role of this stage? If so, grant it what was refused.",
    names: ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "OptInRequired"],
  },
  {
    code: "THROTTLED",
    what: "was throttled until the attempts ran out",
    remedy: "Run the command again in a minute.",
    names: ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"],
  },
  {
    code: "CREDENTIALS_EXPIRED",
    what: "failed because the credentials have expired",
    remedy: "Log in again (`aws sso login`), then run the command again.",
    names: ["ExpiredTokenException", "ExpiredToken", "RequestExpired"],
  },
  {
    code: "CREDENTIALS_INVALID",
    what: "failed because the credentials are missing or not valid",
    remedy:
      "Log in or set AWS_PROFILE, and check it with `aws sts get-caller-identity`; on `local`, run the command through `stage-run`.",
    names: [
      "UnrecognizedClientException",
      "InvalidClientTokenId",
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      "IncompleteSignature",
      "MissingAuthenticationToken",
      "AuthFailure",
      "CredentialsProviderError",
      "TokenProviderError",
    ],
  },
  {
    code: "UNREACHABLE",
    what: "failed because the endpoint was not reached",
    remedy: "Check the network, AWS_REGION and AWS_ENDPOINT_URL, then run the command again.",
    names: [
      "TimeoutError",
      "RequestTimeout",
      "NetworkingError",
      "ConnectionRefused",
      "ECONNREFUSED",
      "ECONNRESET",
      "ENOTFOUND",
      "EAI_AGAIN",
      "EHOSTUNREACH",
      "ENETUNREACH",
      "ETIMEDOUT",
      "EPIPE",
      "FailedToOpenSocket",
    ],
  },
];

/**
 * A failed call as a person can act on it, by cause. Gives the error back as it is where its cause is not known.
 * @param codePrefix `E_AWS_CALL` makes `E_AWS_CALL_DENIED`, `…_THROTTLED`, `…_UNREACHABLE`, …
 * @param what what failed: `a call of AWS`
 */
export function explainFailure(error: unknown, codePrefix: `E_${string}`, what: string): unknown {
  if (!(error instanceof Error) || error instanceof CodedError) return error;
  const code = "code" in error ? String(error.code) : "";
  const known = knownFailures.find(({ names }) => names.includes(error.name) || names.includes(code));
  if (known === undefined) return error;
  return new CodedError({
    code: `${codePrefix}_${known.code}`,
    what: `${what} ${known.what}`,
    value: error.message || error.name,
    remedy: known.remedy,
    cause: error,
  });
}

/**
 * The same of a failed read.
 * @param subject what was read: `the published tag /lambda-app/dev/image-tag`
 */
export function explainReadFailure(error: unknown, codePrefix: `E_${string}`, subject: string): unknown {
  return explainFailure(error, codePrefix, `reading ${subject}`);
}
