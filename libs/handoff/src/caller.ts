import { CodedError, type Stage } from "@workspace/shared-config";
import { explainReadFailure } from "./aws-error.ts";

/** Whose credentials these are. */
export interface Caller {
  /** 12 digits. */
  readonly account: string;
  /** `arn:aws:sts::123456789012:assumed-role/release/session` */
  readonly arn: string;
}

/**
 * @param profile of the AWS configuration files. @default undefined: the SDK's default chain
 * @throws CodedError `E_CALLER_READ_…`, `E_CALLER_UNKNOWN`
 */
export async function findCaller(region: string, profile?: string): Promise<Caller> {
  const { Account: account, Arn: arn } = await readIdentity(region, profile);
  if (account !== undefined && arn !== undefined) return { account, arn };
  throw new CodedError({
    code: "E_CALLER_UNKNOWN",
    what: "the answer of STS doesn't say whose credentials these are",
    value: { account, arn },
    remedy: "Check AWS_ENDPOINT_URL: what answers there is not AWS.",
  });
}

/** What emulators answer, the local AWS among them; on AWS nobody has it. */
const emulatedAccount = "000000000000";

/**
 * Where the stage table names the stage's account: in another one nothing of the stage exists, which would look like a
 * stage that was never deployed, and be made there. An emulator may stand for any.
 * @throws CodedError `E_ACCOUNT_UNEXPECTED`, and those of {@link findCaller}
 */
export async function refuseOtherAccount(
  { name, account }: Stage,
  region: string,
  profile?: string,
): Promise<void> {
  if (account === undefined) return;
  const caller = await findCaller(region, profile);
  if (caller.account === account || caller.account === emulatedAccount) return;
  throw new CodedError({
    code: "E_ACCOUNT_UNEXPECTED",
    what: `these are credentials of another account than that of stage ${name}, ${account}`,
    value: caller.arn,
    remedy: `Use credentials of ${account}, or change the stage table in libs/shared-config if the stage is to move.`,
  });
}

async function readIdentity(region: string, profile: string | undefined) {
  // Loaded here only: a release asks only where the stage names its account.
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  try {
    return await new STSClient({ region, ...(profile !== undefined && { profile }) }).send(
      new GetCallerIdentityCommand({}),
    );
  } catch (error) {
    throw explainReadFailure(error, "E_CALLER_READ", "the identity of these credentials");
  }
}
