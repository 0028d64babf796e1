import { randomUUID } from "node:crypto";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { ECRClient } from "@aws-sdk/client-ecr";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SSMClient } from "@aws-sdk/client-ssm";
import { type Clock, systemClock } from "./clock.ts";
import { isProvenDead, type ProcessIdentity, readProcessIdentity } from "./lease/process-identity.ts";

/** Everything outside of the process that the protocol touches: AWS, time, and the process's own identity. */
export interface HandoffClients {
  readonly ssm: SSMClient;
  readonly lambda: LambdaClient;
  /** For invocations alone, each of which is sent once: a second one would do again what the first may have done. */
  readonly invoker: LambdaClient;
  readonly ecr: ECRClient;
  readonly cloudformation: CloudFormationClient;
  readonly cloudwatch: CloudWatchClient;
  /** GETs a pre-signed URL, as `GetDownloadUrlForLayer` gives it. */
  readonly download: (url: string) => Promise<string>;
  readonly clock: Clock;
  /** Unique each time. */
  readonly randomId: () => string;
  readonly self: ProcessIdentity;
  /** Whether the process is known to be gone: only such a proof shortens the wait for a lease. */
  readonly isProvenDead: (identity: ProcessIdentity) => boolean;
}

export interface HandoffClientsProps {
  readonly region: string;
  /** @default undefined: what the SDK finds, such as `AWS_ENDPOINT_URL` */
  readonly endpoint?: string;
  /** A profile of the AWS configuration files. @default undefined: the SDK's default chain */
  readonly profile?: string;
}

/**
 * How long one attempt of a request may take. A lease is given up this long before it expires
 * (`lease-terms.ts`), so that a request that has left is over before anybody can take the lease over.
 */
export const requestTimeoutMs = 8_000;
/** An invocation answers only when it is done: after 15 minutes at most, and what a network takes. */
const invocationTimeoutMs = (15 * 60 + 5) * 1_000;

export function buildHandoffClients({ region, endpoint, profile }: HandoffClientsProps): HandoffClients {
  const config = {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    retryMode: "standard",
    maxAttempts: 5,
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
  };
  return {
    ssm: new SSMClient(config),
    lambda: new LambdaClient(config),
    invoker: new LambdaClient({
      ...config,
      maxAttempts: 1,
      requestHandler: { ...config.requestHandler, requestTimeout: invocationTimeoutMs },
    }),
    ecr: new ECRClient(config),
    cloudformation: new CloudFormationClient(config),
    cloudwatch: new CloudWatchClient(config),
    download,
    clock: systemClock,
    randomId: randomUUID,
    self: readProcessIdentity(),
    isProvenDead,
  };
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
  if (!response.ok) throw new Error(`${response.status} from ${new URL(url).host}`);
  return response.text();
}
