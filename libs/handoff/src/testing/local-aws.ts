import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stages } from "@workspace/shared-config";
import { buildHandoffClients, type HandoffClients } from "../clients.ts";

/** A real endpoint of its own, up for as long as it is open. */
export interface LocalAws {
  /** Clients as another process would have them. */
  buildClients(): HandoffClients;
  close(): Promise<void>;
}

const workspaceRoot = join(import.meta.dirname, "../../../..");
const holdOpen = "process.stdout.write(process.env.AWS_ENDPOINT_URL + '\\n'); process.stdin.resume();";

export async function openLocalAws(): Promise<LocalAws> {
  const state = mkdtempSync(join(tmpdir(), "handoff-"));
  const held = spawn(
    join(workspaceRoot, "node_modules/.bin/local-aws"),
    ["exec", "--", process.execPath, "-e", holdOpen],
    {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LOCAL_AWS_STATE: state },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const close = async () => {
    held.stdin.end();
    await exited(held);
    rmSync(state, { recursive: true, force: true });
  };
  const endpoint = await Promise.race([
    once(held.stdout, "data").then(([line]) => String(line).trim()),
    exited(held).then(() => ""),
  ]);
  if (endpoint === "") {
    await close();
    throw new Error("local-aws ended before it said where it is");
  }
  return { buildClients: () => buildTestClients(endpoint), close };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** Clients for an endpoint on loopback, which asks for no secrets, in the region of the stage that tests work on. */
export function buildTestClients(endpoint: string): HandoffClients {
  process.env.AWS_ACCESS_KEY_ID ??= "test";
  process.env.AWS_SECRET_ACCESS_KEY ??= "test";
  return buildHandoffClients({ region: stages.dev.region, endpoint });
}
