import { CodedError } from "@workspace/shared-config";
import { isObject } from "../image/manifest.ts";

/** An answer, or a lack of one, that the next attempt may not meet again. */
export class TransientFailure extends Error {
  override readonly name = "TransientFailure";
  /** How long the registry wants to be left alone, if it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface RefusalProps {
  readonly host: string;
  readonly repository: string;
  /** What was asked for: `PUT manifest 1.2`. */
  readonly action: string;
  readonly status: number;
  /** The answer's text, mostly the JSON of the registry's errors. */
  readonly body: string;
  readonly loggedIn: boolean;
}

/** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export function buildRefusal(props: RefusalProps): CodedError {
  const { host, repository, action, status, loggedIn } = props;
  const { code, message } = parseErrors(props.body);
  const value = [status, code, message].filter(Boolean).join(" ");
  if (status === 401 && loggedIn) return loginRefused(host, value);
  if (status === 401) {
    return new CodedError({
      code: "E_REGISTRY_LOGIN_REQUIRED",
      what: `${host} wants a login for ${action} in ${repository}`,
      value,
      remedy: `Log in: oci-build login --username USER --password-stdin ${host}`,
    });
  }
  if (status === 403 || code === "DENIED") {
    return new CodedError({
      code: "E_REGISTRY_DENIED",
      what: `${host} does not allow ${action} in ${repository}`,
      value,
      remedy: "Log in as one who may, or have the permission granted.",
    });
  }
  if (code === "NAME_UNKNOWN") {
    return new CodedError({
      code: "E_REGISTRY_REPOSITORY_MISSING",
      what: `${host} has no repository ${repository}`,
      value,
      remedy: "Create it first, or check the name.",
    });
  }
  // ECR's words for a tag that can't be moved: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
  if (code === "TAG_INVALID" && /immutable|already exists/i.test(message)) {
    return new CodedError({
      code: "E_TAG_IMMUTABLE",
      what: `${host}/${repository} has another image under that tag, and its tags can't be moved (${action})`,
      value,
      remedy: "Push under another tag.",
    });
  }
  return new CodedError({
    code: "E_REGISTRY_REFUSED",
    what: `${host} refused ${action} in ${repository}`,
    value,
    remedy: "See what it says.",
  });
}

export function loginRefused(host: string, value?: string): CodedError {
  return new CodedError({
    code: "E_REGISTRY_LOGIN_REFUSED",
    what: `${host} refused the user name and password`,
    value,
    remedy: "Log in again with the right ones; those of ECR are valid for 12 hours.",
  });
}

function parseErrors(body: string): { code: string; message: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    const first: unknown = isObject(parsed) && Array.isArray(parsed.errors) ? parsed.errors[0] : undefined;
    if (isObject(first)) return { code: String(first.code ?? ""), message: String(first.message ?? "") };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { code: "", message: body.slice(0, 200) };
}
