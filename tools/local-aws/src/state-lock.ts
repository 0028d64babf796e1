import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { CodedError } from "@workspace/shared-config";

/** How long a server that has closed its port may take until its process is gone. */
const lockTimeoutMs = 5000;
/** How long a holder may take to say who it is. */
const holderTimeoutMs = 1000;

/**
 * A name in Linux's abstract socket space: the kernel frees it with the process, however that ends.
 * @throws CodedError `E_STATE_IN_USE`
 */
export async function lockDirectory(directory: string): Promise<void> {
  const deadlineMs = Date.now() + lockTimeoutMs;
  while (!(await holdSocket(socketOf(directory)))) {
    if (Date.now() > deadlineMs) {
      const { pid } = (await findHolder(directory)) ?? {};
      throw new CodedError({
        code: "E_STATE_IN_USE",
        what: `another local AWS has this state${pid === undefined ? "" : `: process ${pid}`}`,
        value: directory,
        remedy: "Use that one (`local-aws status`) or end it, or name another folder in LOCAL_AWS_STATE.",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The process that has the directory locked, which says its id to whom connects; `undefined` where none has. */
export async function findHolder(directory: string): Promise<{ readonly pid?: number } | undefined> {
  const socket = connect({ path: socketOf(directory), timeout: holderTimeoutMs });
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk;
  });
  socket.on("timeout", () => socket.destroy());
  try {
    await once(socket, "close");
  } catch (error) {
    if (!["ECONNREFUSED", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return undefined;
  }
  return said === "" ? {} : { pid: Number(said) };
}

function socketOf(directory: string): string {
  return `\0local-aws-${createHash("sha256").update(directory).digest("hex").slice(0, 32)}`;
}

/** `false` where another process holds it. */
async function holdSocket(path: string): Promise<boolean> {
  const holder = createServer((socket) => {
    // Who asks may be gone before it is told.
    socket.on("error", () => {}).end(String(process.pid));
  }).listen({ path });
  try {
    await once(holder, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return false;
  }
  holder.unref();
  return true;
}
