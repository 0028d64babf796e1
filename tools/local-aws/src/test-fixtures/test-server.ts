import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Server, startServer } from "../server.ts";

export interface TestServer {
  /** What every SDK client here is made with. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly maxAttempts: number;
  };
  readonly endpoint: string;
  /** `127.0.0.1:4566` */
  readonly host: string;
  readonly stateDirectory: string;
  /** Ends the server and starts one on the same state and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A server in this process with a state of its own. */
export async function startTestServer(): Promise<TestServer> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "local-aws-test-"));
  const port = await findFreePort();
  const lines: string[] = [];
  const start = () =>
    startServer({ stateDirectory, port, region: "eu-central-1", log: (line) => lines.push(line) });
  let server: Server = await start();
  return {
    clientConfig: {
      endpoint: server.endpoint,
      region: "eu-central-1",
      credentials: { accessKeyId: "tester", secretAccessKey: "local" },
      // A connection that was kept open before a restart fails once.
      maxAttempts: 3,
    },
    endpoint: server.endpoint,
    host: new URL(server.endpoint).host,
    stateDirectory,
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      await server.stop();
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the probe has no port");
  return address.port;
}
