import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { z } from "zod";

export const processIdentitySchema = z.object({
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  /**
   * Boot, PID namespace and start time, which no two processes share; empty where the system tells no such thing.
   * A host's name and a process id alone prove nothing: two CI containers may well have both in common.
   */
  instance: z.string(),
});

/** Which process, and enough to tell whether it still is. */
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** @param pid of a process of this user on this system. @default process.pid */
export function readProcessIdentity(pid: number = process.pid): ProcessIdentity {
  return { user: readUserName(), host: hostname(), pid, instance: findInstance(pid) ?? "" };
}

/**
 * Whether the process was one of this very system and is gone, killed for example. `false` proves nothing.
 * Its requests are over too: the sockets went with the process.
 * @param find gives the instance of a process that runs. @default findInstance
 */
export function isProvenDead({ pid, instance }: ProcessIdentity, find = findInstance): boolean {
  const [boot, namespace] = instance.split("/");
  const [ownBoot, ownNamespace] = (find(process.pid) ?? "").split("/");
  if (!boot || boot !== ownBoot || namespace !== ownNamespace) return false;
  return find(pid) !== instance;
}

/**
 * `boot/namespace/start`, on Linux; `undefined` elsewhere, and of a process that is gone.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
function findInstance(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const namespace = readlinkSync("/proc/self/ns/pid");
    // The name in parentheses may hold anything; the state is the 1st field behind it, the start time the 20th.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${boot}/${namespace}/${fields[19]}`;
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** A container's user may have no name. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (error instanceof Error && "code" in error) return `uid ${process.getuid?.() ?? "unknown"}`;
    throw error;
  }
}
