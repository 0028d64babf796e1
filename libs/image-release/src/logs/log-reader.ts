import {
  type CloudWatchLogsClient,
  type FilteredLogEvent,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Clock } from "@workspace/handoff";

export interface LogQuery {
  readonly logGroupName: string;
  /** Epoch milliseconds. */
  readonly fromMs: number;
  /** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
  readonly filterPattern?: string | undefined;
}

export interface LogLine {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Without the line break at its end. */
  readonly message: string;
  readonly logStreamName: string;
}

/** What is in the log, oldest first. */
export async function* readLog(
  client: CloudWatchLogsClient,
  query: LogQuery,
): AsyncGenerator<LogLine, void, void> {
  for await (const event of readEvents(client, query)) yield toLogLine(event);
}

const pollMs = 1_000;
/** Events may come in late, and not in the order of their times. */
const overlapMs = 30_000;

/** What is in the log, then what comes into it, until the signal aborts; each event once. */
export async function* followLog(
  client: CloudWatchLogsClient,
  query: LogQuery,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  let seen = new Map<string, number>();
  let { fromMs } = query;
  while (!signal.aborted) {
    for await (const event of readEvents(client, { ...query, fromMs })) {
      const { eventId = "", timestamp = 0 } = event;
      if (seen.has(eventId)) continue;
      seen.set(eventId, timestamp);
      yield toLogLine(event);
    }
    fromMs = Math.max(fromMs, Math.max(0, ...seen.values()) - overlapMs);
    seen = new Map([...seen].filter(([, timestamp]) => timestamp >= fromMs));
    await clock.wait(pollMs, signal);
  }
}

async function* readEvents(
  client: CloudWatchLogsClient,
  { logGroupName, fromMs, filterPattern }: LogQuery,
): AsyncGenerator<FilteredLogEvent, void, void> {
  const input = { logGroupName, startTime: fromMs, ...(filterPattern && { filterPattern }) };
  for await (const { events = [] } of paginateFilterLogEvents({ client }, input)) yield* events;
}

function toLogLine({ timestamp = 0, message = "", logStreamName = "" }: FilteredLogEvent): LogLine {
  return { timestamp, message: message.trimEnd(), logStreamName };
}
