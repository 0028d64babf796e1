import type { ServiceContext } from "../../service.ts";
import type { LoggingConfig } from "../model.ts";
import type { Settlement } from "./execution-environment.ts";

/** How much of a log a client that asks for its tail gets. @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const tailMaxBytes = 4096;

export interface PlatformLogProps {
  readonly logging: LoggingConfig;
  readonly logStream: string;
  readonly version: string;
  readonly memoryMiB: number;
}

export type PlatformLog = ReturnType<typeof createPlatformLog>;

/** What an execution environment says, and what Lambda says of it, on their way into the log group. */
export function createPlatformLog({ call, now, keepAlive }: ServiceContext, props: PlatformLogProps) {
  const { logging, logStream, version, memoryMiB } = props;
  let tail = "";

  function write(message: string): void {
    tail = `${tail}${message}\n`.slice(-tailMaxBytes);
    const event = { timestamp: now(), message: `${message}\n` };
    const input = { logGroupName: logging.LogGroup, logStreamName: logStream, logEvents: [event] };
    keepAlive(call("logs", "PutLogEvents", input));
  }

  /** @see https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html */
  const writeEvent = (type: string, record: object) =>
    write(JSON.stringify({ time: new Date(now()).toISOString(), type, record }));

  const writeStart =
    logging.LogFormat === "JSON"
      ? (requestId: string) => writeEvent("platform.start", { requestId, version })
      : (requestId: string) => write(`START RequestId: ${requestId} Version: ${version}`);

  function writeReport(requestId: string, settlement: Settlement): void {
    const { durationMs, initDurationMs, maxMemoryMiB, status } = settlement;
    const billedMs = Math.ceil(durationMs + (initDurationMs ?? 0));
    if (logging.LogFormat === "JSON") {
      const metrics = {
        durationMs: round(durationMs),
        billedDurationMs: billedMs,
        memorySizeMB: memoryMiB,
        ...(maxMemoryMiB !== undefined && { maxMemoryUsedMB: maxMemoryMiB }),
        ...(initDurationMs !== undefined && { initDurationMs: round(initDurationMs) }),
      };
      writeEvent("platform.report", { requestId, metrics, status: status ?? "success" });
      return;
    }
    write(`END RequestId: ${requestId}`);
    const parts = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${round(durationMs)} ms`,
      `Billed Duration: ${billedMs} ms`,
      `Memory Size: ${memoryMiB} MB`,
      ...(maxMemoryMiB === undefined ? [] : [`Max Memory Used: ${maxMemoryMiB} MB`]),
      ...(initDurationMs === undefined ? [] : [`Init Duration: ${round(initDurationMs)} ms`]),
      ...(status === undefined ? [] : [`Status: ${status}`]),
    ];
    write(parts.join("\t"));
  }

  return {
    writeLine: write,
    start(requestId: string): void {
      tail = "";
      writeStart(requestId);
    },
    report: writeReport,
    /** The last of what was written since the invocation began. */
    readTail: () => tail,
  };
}

/** `2026/11/25/[3]0123456789abcdef0123456789abcdef` */
export function buildLogStream(version: string, nowMs: number, id: string): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${version}]${id.replaceAll("-", "")}`;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
