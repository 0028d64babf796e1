import { once } from "node:events";
import { join } from "node:path";
import { execa } from "execa";

export type Environment = Readonly<Record<string, string>>;

/** A stage that stays up for as long as the session is open, as if a command ran all the while. */
export interface StageSession {
  /** What a command of the stage finds in its environment: endpoint, credentials, container CLI. */
  readonly environment: Environment;
  close(): Promise<void>;
}

const holdOpen = "process.stdout.write(JSON.stringify(process.env) + '\\n'); process.stdin.resume();";

/** @param environment what the caller chooses: `STAGE`, and on AWS the credentials */
export async function openStageSession(directory: string, environment: Environment): Promise<StageSession> {
  const held = execa(join(directory, "node_modules/.bin/stage-run"), [process.execPath, "-e", holdOpen], {
    cwd: directory,
    // Nx's daemon would outlive a workspace that is about to be removed; without it, plugins need no process either.
    env: { ...environment, NX_DAEMON: "false", NX_ISOLATE_PLUGINS: "false" },
    extendEnv: false,
    stdin: "pipe",
    stderr: "inherit",
    reject: false,
  });
  const opened = Promise.race([
    once(held.stdout, "data").then(([line]) => JSON.parse(String(line)) as Environment),
    held.then((ended) => {
      throw new Error(`the stage session ended early: ${ended.shortMessage ?? "exit code 0"}`);
    }),
  ]);
  return {
    environment: await opened,
    async close() {
      held.stdin.end();
      await held;
    },
  };
}
