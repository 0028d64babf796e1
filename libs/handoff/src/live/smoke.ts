import { InvokeCommand } from "@aws-sdk/client-lambda";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { invokeWhenAwake } from "./invoke-when-awake.ts";

/**
 * Invokes one version and judges its answer. A function error fails it, and so does an HTTP answer of 500 and up.
 * @param event JSON text, as in `smoke-event.json`
 * @throws CodedError `E_SMOKE_FAILED` with what came back and the end of the log
 */
export async function smokeCheck(
  clients: Pick<HandoffClients, "invoker" | "clock">,
  { functionName: FunctionName }: FunctionOnStage,
  version: string,
  event: string,
): Promise<void> {
  const command = new InvokeCommand({
    FunctionName,
    Qualifier: version,
    Payload: Buffer.from(event),
    LogType: "Tail",
  });
  const { FunctionError, Payload, LogResult } = await invokeWhenAwake(clients, command);
  const answer = Buffer.from(Payload ?? []).toString("utf8");
  const fault = FunctionError ?? findServerError(answer);
  if (fault === undefined) return;
  const log = Buffer.from(LogResult ?? "", "base64").toString("utf8");
  throw new CodedError({
    code: "E_SMOKE_FAILED",
    what: `version ${version} of ${FunctionName} failed its smoke check: ${fault}`,
    value: answer.slice(0, 1000),
    remedy: "Repair the handler, or the smoke-event.json that it was asked with, and release again.",
    ...(log && { cause: new Error(`the end of the log:\n${log}`) }),
  });
}

function findServerError(answer: string): string | undefined {
  const status = readStatusCode(answer);
  return status !== undefined && status >= 500 ? `status ${status}` : undefined;
}

/** Of an answer to an HTTP event; other answers have none. */
function readStatusCode(answer: string): number | undefined {
  try {
    const parsed: unknown = JSON.parse(answer);
    if (typeof parsed !== "object" || parsed === null || !("statusCode" in parsed)) return undefined;
    return typeof parsed.statusCode === "number" ? parsed.statusCode : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
