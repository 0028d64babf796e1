import type { Environment } from "../handler/context.ts";
import type { InvocationStore } from "../invocation/invocation-store.ts";
import { buildJsonLine, buildTextLine, type LogLevel, logLevels } from "./log-line.ts";

export type Log = (level: LogLevel, ...values: unknown[]) => void;

/**
 * A log in the format and from the level that the function's configuration asks for.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
 */
export function createLog(environment: Environment, store: InvocationStore): Log {
  const json = environment.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
  const names: readonly string[] = logLevels;
  const lowest = names.indexOf(environment.AWS_LAMBDA_LOG_LEVEL?.toUpperCase() ?? "TRACE");
  return (level, ...values) => {
    if (logLevels.indexOf(level) < lowest) return;
    const record = { time: new Date(), level, context: store.current(), values };
    writeLine(json ? buildJsonLine(record) : buildTextLine(record));
  };
}

/** Makes `console` write to the log. */
export function patchConsole(target: Console, log: Log): void {
  const at =
    (level: LogLevel) =>
    (...values: unknown[]) =>
      log(level, ...values);
  Object.assign(target, {
    trace: at("TRACE"),
    debug: at("DEBUG"),
    log: at("INFO"),
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
  });
}

/**
 * Writes at once, so that a line is out before a crash or a freeze. Loading the module only now keeps it out of the time
 * that an environment takes to start.
 */
function writeLine(line: string): void {
  const { writeSync } = process.getBuiltinModule("node:fs");
  let bytes = Buffer.from(line);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}
