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

/** Of console; they build on the methods that write a line. */
const composites = [
  "assert",
  "count",
  "countReset",
  "dir",
  "dirxml",
  "group",
  "groupCollapsed",
  "groupEnd",
  "table",
  "time",
  "timeEnd",
  "timeLog",
] as const;

type CompositeConsole = Pick<Console, (typeof composites)[number]>;

/** Makes `console` write to the log; it has `fatal` too, as on AWS's runtimes for Node.js. */
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
    fatal: at("FATAL"),
  });
  // Made when it is first needed: its module takes longer to load than all else here.
  let composite: CompositeConsole | undefined;
  for (const name of composites) {
    target[name] = (...values: unknown[]) => {
      composite ??= createCompositeConsole(log);
      (composite[name] as (...values: unknown[]) => void)(...values);
    };
  }
}

/** A console whose lines, which can be several at once, are entries of the log: at INFO, and what it warns of at WARN. */
function createCompositeConsole(log: Log): CompositeConsole {
  const { Console } = process.getBuiltinModule("node:console");
  const to = (level: LogLevel) => ({ write: (text: string) => log(level, text.trimEnd()) }) as never;
  // Bun's types know nothing of the methods.
  return new Console({ stdout: to("INFO"), stderr: to("WARN"), ignoreErrors: false }) as never;
}

/**
 * Writes at once, so that a line is out before a crash or a freeze. What nobody reads any more is lost, and fails no
 * invocation. Loading the module only now keeps it out of the time that an environment takes to start.
 */
function writeLine(line: string): void {
  const { writeSync } = process.getBuiltinModule("node:fs");
  let bytes = Buffer.from(line);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
    }
  }
}
