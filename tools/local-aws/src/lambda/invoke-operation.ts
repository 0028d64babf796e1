import { type Operation, type ServiceContext, ServiceException } from "../service.ts";
import type { Invoked, Invoker } from "./execution/invoker.ts";
import { type Functions, parseReference } from "./functions.ts";

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const payloadMaxBytes = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024 };

/**
 * How long an asynchronous invocation waits before each further attempt: on AWS a minute and two.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const retryDelaysMs = [200, 400];

export function createInvokeOperation(
  context: ServiceContext,
  functions: Functions,
  invoker: Invoker,
): Operation {
  /** Tries until it succeeds or has been tried often enough; a call that can't even start counts as a failure. */
  async function invokeWithRetries(attempt: () => Promise<Invoked>): Promise<void> {
    for (const delayMs of [...retryDelaysMs, undefined]) {
      const failed = await attempt().then(
        ({ functionError }) => functionError !== undefined,
        (error) => {
          if (!(error instanceof ServiceException)) throw error;
          return true;
        },
      );
      if (!failed || delayMs === undefined) return;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  return async ({
    FunctionName,
    Qualifier,
    InvocationType = "RequestResponse",
    LogType = "None",
    ClientContext,
    Payload,
  }) => {
    const reference = parseReference(FunctionName, Qualifier);
    const payload = parsePayload(Payload, InvocationType);
    const { version } = invoker.chooseVersion(functions.mustFind(reference), reference.qualifier);
    if (InvocationType === "DryRun") return { StatusCode: 204, Payload: "", ExecutedVersion: version };
    if (InvocationType === "Event") {
      context.keepAlive(invokeWithRetries(() => invoker.invoke(reference, { payload })));
      return { StatusCode: 202, Payload: "", ExecutedVersion: version };
    }
    const withLog = LogType === "Tail";
    const clientContext =
      ClientContext === undefined ? undefined : Buffer.from(ClientContext, "base64").toString();
    const invoked = await invoker.invoke(reference, { payload, clientContext, withLog });
    return {
      StatusCode: 200,
      Payload: invoked.payload.toString(),
      ExecutedVersion: invoked.executedVersion,
      ...(invoked.functionError && { FunctionError: invoked.functionError }),
      ...(invoked.log !== undefined && { LogResult: Buffer.from(invoked.log).toString("base64") }),
    };
  };
}

/** @throws ServiceException for what is no JSON, or too much of it */
function parsePayload(given: string | Uint8Array | undefined, type: string): Buffer {
  const payload = Buffer.from(given ?? "");
  if (payload.length === 0) return Buffer.from("{}");
  const maxBytes = type === "Event" ? payloadMaxBytes.Event : payloadMaxBytes.RequestResponse;
  if (payload.length > maxBytes) {
    throw new ServiceException(
      "RequestTooLargeException",
      `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`,
      413,
    );
  }
  try {
    JSON.parse(payload.toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ServiceException(
      "InvalidRequestContentException",
      `Could not parse request body into json: ${error.message}`,
    );
  }
  return payload;
}
