import { CodedError } from "@workspace/shared-config";
import { explainReadFailure } from "./aws-error.ts";

/** Whose credentials these are. */
export interface Caller {
  /** 12 digits. */
  readonly account: string;
  /** `arn:aws:sts::123456789012:assumed-role/release/session` */
  readonly arn: string;
}

/** @throws CodedError `E_CALLER_READ_…`, `E_CALLER_UNKNOWN` */
export async function findCaller(region: string): Promise<Caller> {
  const { Account: account, Arn: arn } = await readIdentity(region);
  if (account !== undefined && arn !== undefined) return { account, arn };
  throw new CodedError({
    code: "E_CALLER_UNKNOWN",
    what: "the answer of STS doesn't say whose credentials these are",
    value: { account, arn },
    remedy: "Check AWS_ENDPOINT_URL: what answers there is not AWS.",
  });
}

async function readIdentity(region: string) {
  // Loaded here only: most commands never ask.
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  try {
    return await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  } catch (error) {
    throw explainReadFailure(error, "E_CALLER_READ", "the identity of these credentials");
  }
}
