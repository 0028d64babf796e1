import { resolve } from "node:path";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { findEvent, invokeWhenAwake, isAwsError, smokeEventPath } from "@workspace/handoff";
import { CodedError, exitCodes, liveAlias } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

interface InvokeOptions extends SharedOptions {
  readonly event?: string;
}

export const invokeCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("invoke"), { moves: false })
    .description("Sends an event to what is live, and prints the answer and the end of the log.")
    .option("--event <file>", "a JSON file (default: the function's smoke-event.json, or else GET /)")
    .action((options: InvokeOptions) => run(options, (context) => invoke(context, options)));
};

async function invoke(context: CommandContext, { event }: InvokeOptions): Promise<CommandResult> {
  const { fn } = context;
  const command = new InvokeCommand({
    FunctionName: fn.functionName,
    Qualifier: liveAlias,
    Payload: Buffer.from(await readEvent(context, event)),
    LogType: "Tail",
  });
  const { FunctionError, Payload, LogResult, ExecutedVersion } = await sendInvoke(context, command);
  const answer = Buffer.from(Payload ?? []).toString("utf8");
  const log = Buffer.from(LogResult ?? "", "base64")
    .toString("utf8")
    .trimEnd();
  return {
    lines: [answer, "", ...log.split("\n").map((line) => `  | ${line}`)],
    value: {
      function: fn.project,
      stage: fn.stage.name,
      version: ExecutedVersion,
      functionError: FunctionError,
      answer: parseAnswer(answer),
      log: log.split("\n"),
    },
    exitCode: FunctionError === undefined ? exitCodes.done : exitCodes.failed,
  };
}

async function sendInvoke({ clients, fn, signal }: CommandContext, command: InvokeCommand) {
  try {
    return await invokeWhenAwake(clients, command, signal);
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
    throw new CodedError({
      code: "E_FUNCTION_MISSING",
      what: "the function, or its alias, does not exist",
      value: `${fn.functionName}:${liveAlias}`,
      remedy: `Run \`nx run infra:deploy --stage ${fn.stage.name}\` first.`,
      cause: error,
    });
  }
}

/** JSON text. @throws CodedError `E_EVENT_MISSING`, `E_EVENT_UNREADABLE`, `E_EVENT_MALFORMED` */
async function readEvent({ workspaceRoot, fn }: CommandContext, file: string | undefined): Promise<string> {
  const found = await findEvent(
    file === undefined ? smokeEventPath(workspaceRoot, fn.project) : resolve(file),
  );
  if (found !== undefined) return found;
  if (file === undefined) return JSON.stringify(getRootEvent);
  throw new CodedError({
    code: "E_EVENT_MISSING",
    what: "there is no such event file",
    value: file,
    remedy: "Name a JSON file; the path is relative to where the command runs.",
  });
}

/** A function URL's event. @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads */
const getRootEvent = {
  version: "2.0",
  routeKey: "$default",
  rawPath: "/",
  rawQueryString: "",
  headers: { accept: "*/*" },
  requestContext: {
    http: { method: "GET", path: "/", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "invoke" },
    requestId: "00000000-0000-0000-0000-000000000000",
    routeKey: "$default",
    stage: "$default",
    timeEpoch: 0,
  },
  isBase64Encoded: false,
};

/** A streamed answer need not be JSON. */
function parseAnswer(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch (error) {
    if (error instanceof SyntaxError) return answer;
    throw error;
  }
}
