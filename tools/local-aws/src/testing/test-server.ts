import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { waitUntil } from "./wait-until.ts";

export interface TestServer {
  /** What every SDK client here is made with. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly endpoint: string;
  /** `127.0.0.1:4566` */
  readonly host: string;
  readonly stateDirectory: string;
  /** Ends the server, as asked or by force, and starts one on the same state and port. */
  restart(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  stop(): Promise<void>;
}

const command = join(import.meta.dirname, "../../bin/local-aws");

/** The real command on Bun, with a state of its own. */
export async function startTestServer(): Promise<TestServer> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "local-aws-test-"));
  const remove = () => rmSync(stateDirectory, { recursive: true, force: true });
  let server = await start(stateDirectory).catch((error) => {
    remove();
    throw error;
  });
  const { endpoint } = server;
  return {
    clientConfig: {
      endpoint,
      region: "eu-central-1",
      credentials: { accessKeyId: "tester", secretAccessKey: "local" },
    },
    endpoint,
    host: new URL(endpoint).host,
    stateDirectory,
    async restart(signal = "SIGTERM") {
      await end(server.process, signal);
      server = await start(stateDirectory);
      // Connections that clients have kept fail once.
      await waitUntil(() =>
        fetch(`${endpoint}/v2/`).then(
          () => true,
          () => undefined,
        ),
      );
    },
    async stop() {
      await end(server.process, "SIGTERM");
      remove();
    },
  };
}

async function start(stateDirectory: string): Promise<{ process: ChildProcess; endpoint: string }> {
  const { PATH } = process.env;
  const child = spawn(command, ["serve"], {
    env: { PATH, LOCAL_AWS_STATE: stateDirectory, SECRET_OF_THE_HOST: "not for functions" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const endpoint = /http:\/\/\S+?(?=,|$)/.exec(line)?.[0];
    if (endpoint !== undefined) return { process: child, endpoint };
  }
  throw new Error("the server ended before it served: it has said why on stderr");
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
