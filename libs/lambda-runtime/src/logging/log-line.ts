import type { Context } from "../handler/context.ts";
import { buildRuntimeError } from "../runtime-api/runtime-error.ts";

/** Lowest first. @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html */
export const logLevels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  /** Of the invocation that the record belongs to; none while the environment starts or ends. */
  readonly context: Context | undefined;
  /** As they were given to `console.log`. */
  readonly values: readonly unknown[];
}

/** `time TAB request id TAB level TAB message`, in one line: CloudWatch would make an event of each line. */
export function buildTextLine({ time, level, context, values }: LogRecord): string {
  const line = [time.toISOString(), context?.awsRequestId ?? "-", level, format(values)].join("\t");
  return `${line.replaceAll("\n", "\r")}\n`;
}

/**
 * The fields of Lambda's JSON format. A single object is the message itself, so that it can be searched by its fields,
 * and so is a single Error: `{ errorType, errorMessage, stackTrace }` and what else it has.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html#node-logging-advanced
 */
export function buildJsonLine({ time, level, context, values }: LogRecord): string {
  const head = {
    timestamp: time.toISOString(),
    level,
    ...(context !== undefined && { requestId: context.awsRequestId }),
    ...(context?.tenantId !== undefined && { tenantId: context.tenantId }),
  };
  const [only] = values;
  if (values.length === 1 && typeof only === "object" && only !== null) {
    try {
      return `${JSON.stringify({ ...head, message: only }, showErrors)}\n`;
    } catch {
      // It has a cycle or a BigInt, which the formatter below can show.
    }
  }
  const error = values.find(isError);
  return `${JSON.stringify({ ...head, message: format(values), ...(error && buildRuntimeError(error)) })}\n`;
}

function showErrors(_key: string, value: unknown): unknown {
  return isError(value) ? { ...buildRuntimeError(value), ...value } : value;
}

/** A Proxy can throw where it is asked what it is. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function format(values: readonly unknown[]): string {
  try {
    const { formatWithOptions } = process.getBuiltinModule("node:util");
    return formatWithOptions({ colors: false }, ...values);
  } catch {
    return "a value that can't be shown";
  }
}
