import type { InvokeCommand, InvokeCommandOutput } from "@aws-sdk/client-lambda";
import { isAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";

/**
 * What Lambda answers while it makes a function ready that was not invoked for weeks.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
const wakingUp = [
  "CodeArtifactUserPendingException",
  "ResourceConflictException",
  "ResourceNotReadyException",
] as const;

const retryMs = 2_000;
const maxWaitMs = 3 * 60_000;

/** Invokes, and asks again where the function has to wake up first, for at most three minutes. */
export async function invokeWhenAwake(
  { lambda, clock }: Pick<HandoffClients, "lambda" | "clock">,
  command: InvokeCommand,
  abortSignal?: AbortSignal,
): Promise<InvokeCommandOutput> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return await lambda.send(command, { abortSignal });
    } catch (error) {
      if (!isAwsError(error, ...wakingUp) || clock.monotonicMs() - startedMs >= maxWaitMs) throw error;
      await clock.wait(retryMs, abortSignal);
    }
  }
}
