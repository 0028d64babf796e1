import { findLiveConfiguration, type HandoffClients, isAwsError } from "@workspace/handoff";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";
import type { CommandResult } from "@workspace/terminal";
import type { CommandContext, SharedOptions } from "../command-context.ts";
import type { LogLine } from "../logs/log-reader.ts";
import { parseDurationMs } from "../options.ts";
import type { AddCommand } from "../program.ts";
import { addSharedOptions } from "../shared-options.ts";

interface LogsOptions extends SharedOptions {
  readonly follow?: boolean;
  readonly since?: number;
  readonly filter?: string;
}

export const logsCommand: AddCommand = (program, run) => {
  addSharedOptions(program.command("logs"), { moves: false })
    .description("Prints the function's log; with --json one JSON document a line.")
    .option("--follow", "go on with what comes in, until interrupted")
    .option("--since <duration>", "how far back to begin (default: 10m)", parseDurationMs)
    .option("--filter <pattern>", "only what fits a filter pattern of CloudWatch Logs")
    .action((options: LogsOptions) => run(options, (context) => logs(context, options)));
};

const defaultSinceMs = 10 * 60_000;

async function logs(
  { clients, fn, region, signal, onLine }: CommandContext,
  { follow, since = defaultSinceMs, filter, json }: LogsOptions,
): Promise<CommandResult> {
  // Loaded here only: no other command needs them.
  const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
  const { followLog, readLog } = await import("../logs/log-reader.ts");
  const client = new CloudWatchLogsClient({ region });
  const logGroupName = await findLogGroup(clients, fn);
  const query = { logGroupName, fromMs: clients.clock.epochMs() - since, filterPattern: filter };
  const lines = follow ? followLog(client, query, clients.clock, signal) : readLog(client, query);
  try {
    for await (const line of lines) await onLine(json ? JSON.stringify(line) : describeLine(line));
  } catch (error) {
    throw isAwsError(error, "ResourceNotFoundException") ? buildMissingError(fn, logGroupName, error) : error;
  }
  return { lines: [], value: undefined };
}

function describeLine({ timestamp, message }: LogLine): string {
  return `${new Date(timestamp).toISOString()} ${message}`;
}

/** As the function is configured. @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html */
async function findLogGroup(clients: HandoffClients, fn: FunctionOnStage): Promise<string> {
  const live = await findLiveConfiguration(clients, fn);
  return live?.settings.LoggingConfig?.LogGroup ?? `/aws/lambda/${fn.functionName}`;
}

function buildMissingError(fn: FunctionOnStage, logGroupName: string, cause: Error): CodedError {
  return new CodedError({
    code: "E_LOG_MISSING",
    what: "the function has no log group yet",
    value: logGroupName,
    remedy: `Run \`nx run infra:deploy --stage ${fn.stage.name}\`, which makes it.`,
    cause,
  });
}
