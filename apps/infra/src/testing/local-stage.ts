import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHandoffClients, type HandoffClients } from "@workspace/handoff";
import { type FunctionOnStage, parseFunction, parseHostArchitecture, stages } from "@workspace/shared-config";
import { execa } from "execa";
import { workspaceRoot } from "../surroundings.ts";

/** A local AWS with nothing in it. */
export interface LocalStage {
  readonly fn: FunctionOnStage;
  readonly clients: HandoffClients;
  /** Runs `infra COMMAND …`. */
  infra(...argv: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }>;
  /** Of every call that the local AWS got, in order: `GetParameter`. */
  readOperations(): string[];
  close(): Promise<void>;
}

const bin = join(workspaceRoot, "node_modules/.bin");
const holdOpen = "process.stdout.write(JSON.stringify(process.env) + '\\n'); process.stdin.resume();";

export async function openLocalStage(): Promise<LocalStage> {
  const state = mkdtempSync(join(tmpdir(), "infra-stage-"));
  const recordFile = join(state, "record.jsonl");
  const held = execa(join(bin, "local-aws"), ["exec", "--", process.execPath, "-e", holdOpen], {
    env: {
      PATH: process.env.PATH ?? "",
      HOME: state,
      AWS_REGION: stages.local.region,
      LOCAL_AWS_STATE: join(state, "aws"),
      LOCAL_AWS_RECORD: recordFile,
    },
    extendEnv: false,
    stdin: "pipe",
    stderr: "inherit",
    reject: false,
  });
  const [line] = await Promise.race([
    once(held.stdout, "data"),
    held.then((ended): never => {
      throw new Error(`the local AWS ended early: ${ended.shortMessage}`);
    }),
  ]);
  const environment: Record<string, string> = JSON.parse(String(line));
  const { AWS_REGION = "", AWS_ENDPOINT_URL = "" } = environment;
  // The SDK looks for credentials in the environment of this process.
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) process.env[name] = environment[name];
  return {
    fn: parseFunction("lambda-app", stages.local, parseHostArchitecture(process.arch)),
    clients: buildHandoffClients({ region: AWS_REGION, endpoint: AWS_ENDPOINT_URL }),
    async infra(...argv) {
      const command = [join(workspaceRoot, "apps/infra/bin/infra"), ...argv];
      const { exitCode, stdout, stderr } = await execa(join(bin, "stage-run"), command, {
        env: { ...environment, STAGE: "local" },
        extendEnv: false,
        stdin: "ignore",
        reject: false,
      });
      return { exitCode, stdout, stderr };
    },
    readOperations: () =>
      readFileSync(recordFile, "utf8")
        .split("\n")
        .filter((entry) => entry !== "")
        .map((entry) => JSON.parse(entry).operation),
    async close() {
      held.stdin.end();
      await held;
      rmSync(state, { recursive: true, force: true });
    },
  };
}
