import { CodedError, exitCodes } from "@workspace/shared-config";
import { formatError } from "./output.ts";

/** As far as its end concerns it; main files hand in `process`. */
export type EndedProcess = Pick<NodeJS.Process, "exit"> & {
  exitCode?: NodeJS.Process["exitCode"];
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
};

/**
 * Writes, and resolves when it is out; `unread` where nobody reads any more, as behind `head`.
 * @throws any other failure to write, such as a full disk's
 */
export function print(stream: NodeJS.WritableStream, text: string): Promise<"written" | "unread"> {
  return new Promise((resolve, reject) => {
    const settle = (error?: NodeJS.ErrnoException | null) => {
      if (error?.code === "EPIPE") resolve("unread");
      else if (error) reject(error);
      else resolve("written");
    };
    try {
      stream.write(text, settle);
    } catch (error) {
      settle(error as NodeJS.ErrnoException);
    }
  });
}

/**
 * Runs a command, prints what it fails by, and ends the process. Whatever holds the process then is nobody's any more: a
 * request that was given up is one that the other side may hold open for ever.
 *
 * @param command sets the exit code where it is another one than 0
 */
export async function runToEnd(process: EndedProcess, command: () => Promise<unknown>): Promise<void> {
  // Each write tells of its own failure; without this, the stream would end the process first.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  try {
    await command();
  } catch (error) {
    process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
    // Where standard error can't be written to, the exit code alone says it.
    await print(process.stderr, formatError(error)).catch(() => {});
  }
  // What was written before is out, too, or has told of its own failure.
  await Promise.allSettled([print(process.stdout, ""), print(process.stderr, "")]);
  process.exit();
}
