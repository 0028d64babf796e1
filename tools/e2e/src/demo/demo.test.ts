import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { workspaceRoot } from "../scratch-workspace.ts";
import { openStageSession, type StageSession } from "../stage-session.ts";

let state: string;
let session: StageSession;
beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), "demo-test-"));
  session = await openStageSession(workspaceRoot, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
    LOCAL_AWS_STATE: state,
  });
});
afterAll(async () => {
  await session?.close();
  rmSync(state, { recursive: true, force: true });
});

it("touches nothing where a release is published already", { timeout: 120_000 }, async () => {
  const { AWS_REGION = "", AWS_ENDPOINT_URL = "" } = session.environment;
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = session.environment;
  const ssm = new SSMClient({
    region: AWS_REGION,
    endpoint: AWS_ENDPOINT_URL,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  await ssm.send(
    new PutParameterCommand({ Name: "/lambda-app/dev/image-tag", Type: "String", Value: "0a1b2c3d4e5f" }),
  );
  const demo = await execa("bun", [join(import.meta.dirname, "main.ts")], {
    cwd: workspaceRoot,
    preferLocal: true,
    env: { ...session.environment, STAGE: "dev" },
    extendEnv: false,
    reject: false,
  });
  expect(demo.exitCode).toBe(1);
  expect(demo.stderr).toContain("E_STAGE_RELEASED");
  expect(demo.stderr).toContain("0a1b2c3d4e5f");
  // The other functions of the stage are none of the demo's.
  expect(demo.stderr).toContain("infra:destroy --function lambda-app --stage dev");
  expect(demo.stdout).not.toContain("infra:deploy");
});
