/**
 * An error as the Runtime API takes it, with the header fields that go with it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
 */
export interface RuntimeError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** What the engine itself finds wrong. `type` is one of Lambda's own: `Runtime.HandlerNotFound`, … */
export class EngineError extends Error {
  override readonly name: `Runtime.${string}` | "Function.ResponseSizeTooLarge";

  constructor(type: EngineError["name"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = type;
  }
}

/** Whatever was thrown: an Error, something that looks like one, or any other value. Never throws itself. */
export function buildRuntimeError(thrown: unknown): RuntimeError {
  try {
    if (!isErrorLike(thrown)) {
      return { errorType: typeof thrown, errorMessage: describe(thrown), stackTrace: [] };
    }
    return {
      errorType: String(thrown.name),
      errorMessage: String(thrown.message),
      stackTrace: splitStack(thrown.stack),
    };
  } catch {
    // A getter, toString or toJSON of what was thrown has thrown as well.
    return { errorType: "Error", errorMessage: "an error that can't be read", stackTrace: [] };
  }
}

/**
 * The header `Lambda-Runtime-Function-Error-Type`: `category.reason`.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
 */
export function buildErrorTypeHeader({ errorType }: RuntimeError): string {
  const printable = errorType.replace(/[^\w.$-]/g, "_").slice(0, 256);
  return /^(Runtime|Function|Extension|Sandbox)\./.test(printable) ? printable : `Function.${printable}`;
}

/** Lambda takes up to 1 MB; who reads a trace needs far less, and the header travels with every failure. */
const maxCauseLength = 64 * 1024;

/**
 * The header `Lambda-Runtime-Function-XRay-Error-Cause`, in the format of X-Ray's segment documents.
 * @returns undefined where it would be too long
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors
 */
export function buildXRayCause(error: RuntimeError, workingDirectory: string): string | undefined {
  const stack = error.stackTrace.map(parseFrame);
  const cause = {
    working_directory: workingDirectory,
    exceptions: [{ type: error.errorType, message: error.errorMessage, stack }],
    paths: [...new Set(stack.map((frame) => frame.path))],
  };
  // A header is ASCII without control characters; JSON can say everything else in that.
  const json = JSON.stringify(cause).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return json.length > maxCauseLength ? undefined : json;
}

/** `at handler (/var/task/app.js:1:20)` or `at /var/task/app.js:1:20` */
function parseFrame(line: string): { path: string; line: number; label: string } {
  const match = /^at (?:(.*?) \()?(.*?)(?::(\d+))?(?::\d+)?\)?$/.exec(line);
  return { path: match?.[2] ?? line, line: Number(match?.[3] ?? 0), label: match?.[1] ?? "anonymous" };
}

function isErrorLike(thrown: unknown): thrown is { name: unknown; message: unknown; stack?: unknown } {
  if (thrown instanceof Error) return true;
  return typeof thrown === "object" && thrown !== null && "name" in thrown && "message" in thrown;
}

function describe(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null ? JSON.stringify(thrown) : String(thrown);
}

/** The frames of a stack, without the message that Error puts before them. */
function splitStack(stack: unknown): string[] {
  if (typeof stack !== "string") return [];
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
}
