import type { Store } from "../../store.ts";
import { readProcFile, signalGroup } from "./function-process.ts";

/** The processes that run, on disk: a server that was killed leaves them behind, and the next one ends them. */
export function openProcessRecord(store: Store) {
  const prefix = "process ";
  return {
    /** @param address of the Runtime API that the process was given */
    add: (pid: number, address: string) => store.put(`${prefix}${pid}`, address),
    remove: (pid: number) => store.delete(`${prefix}${pid}`),
    endOrphans(): void {
      for (const key of store.keys(prefix)) {
        const pid = Number(key.slice(prefix.length));
        const address = store.get<string>(key);
        // Another process may have the number by now.
        const variables = readProcFile(pid, "environ")?.split("\0") ?? [];
        if (variables.includes(`AWS_LAMBDA_RUNTIME_API=${address}`)) signalGroup(pid, "SIGKILL");
        store.delete(key);
      }
    },
  };
}
