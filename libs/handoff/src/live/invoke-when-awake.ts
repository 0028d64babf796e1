import type { InvokeCommand, InvokeCommandOutput } from "@aws-sdk/client-lambda";
import { isAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";

/**
 * What Lambda answers in place of an invocation: while it makes a function ready that was not invoked for weeks, and
 * while others take up all that may run at once.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
const notInvoked = [
  "CodeArtifactUserPendingException",
  "ResourceConflictException",
  "ResourceNotReadyException",
  "TooManyRequestsException",
] as const;

const retryMs = 2_000;
const maxWaitMs = 3 * 60_000;

/** Invokes, and asks again where the function has to wake up or to wait its turn first, for at most three minutes. */
export async function invokeWhenAwake(
  { invoker, clock }: Pick<HandoffClients, "invoker" | "clock">,
  command: InvokeCommand,
  abortSignal?: AbortSignal,
): Promise<InvokeCommandOutput> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return await invoker.send(command, { abortSignal });
    } catch (error) {
      if (!isAwsError(error, ...notInvoked) || clock.monotonicMs() - startedMs >= maxWaitMs) throw error;
      await clock.wait(retryMs, abortSignal);
    }
  }
}
