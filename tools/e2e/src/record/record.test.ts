import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Purpose, purposes } from "@workspace/handoff";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatherStages } from "../sample-state.ts";
import { createScratchWorkspace, type ScratchWorkspace } from "../scratch-workspace.ts";
import { openStageSession, type StageSession } from "../stage-session.ts";
import { formatProfiles, parseRecord, readRoleGrants, roles, signAs } from "./role-grants.ts";

/** Granted though no command of the story calls it, by purpose. */
const pushing = "the registry asks IAM for it when a container CLI pushes";
const pulling = "the registry asks IAM for it when a layer is pulled";
const lostRace = "a lease whose newest write lost a race is read from its history";
const puttingBack = "puts the published image back into the function after CloudFormation has rolled back";
const unreleased = "proves that nothing was ever released, where no tag is published";
const comparing = "read for a diff with the caller's own rights, where the CDK's lookup role is refused";
const grantedWithoutCall: Readonly<Record<Purpose, Readonly<Record<string, string>>>> = {
  deploy: {
    "ssm:GetParameterHistory": lostRace,
    "lambda:UpdateFunctionCode": puttingBack,
    "ecr:DescribeRepositories": puttingBack,
    "cloudformation:GetTemplate": comparing,
  },
  release: {
    "ecr:BatchCheckLayerAvailability": pushing,
    "ecr:InitiateLayerUpload": pushing,
    "ecr:UploadLayerPart": pushing,
    "ecr:CompleteLayerUpload": pushing,
    "ecr:GetDownloadUrlForLayer": pulling,
    "ssm:GetParameterHistory": lostRace,
    "cloudwatch:DescribeAlarms": "only a canary with --alarm calls it",
  },
  source: { "ecr:GetDownloadUrlForLayer": pulling },
  diff: {
    "ssm:GetParameter": unreleased,
    "ecr:DescribeRepositories": unreleased,
    "ecr:DescribeImages": unreleased,
    "lambda:GetFunctionConfiguration": unreleased,
    "cloudformation:DescribeStacks": comparing,
    "cloudformation:GetTemplate": comparing,
  },
};

let scratch: ScratchWorkspace;
let session: StageSession;
const recordFile = () => join(scratch.directory, ".local-aws", "record.jsonl");
const profiles = () => join(scratch.directory, ".local-aws", "profiles");

beforeAll(async () => {
  scratch = createScratchWorkspace();
  gatherStages(scratch.directory);
  scratch.commit("chore: one region");
  const environment = {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
    LOCAL_AWS_RECORD: recordFile(),
  };
  session = await openStageSession(scratch.directory, environment);
});
afterAll(async () => {
  await session?.close();
  scratch?.remove();
});

/** Runs a command as the role of a purpose and stage: its access key says so in the record. */
async function runAs(purpose: Purpose | "admin", stage: "dev" | "prod", ...argv: string[]): Promise<void> {
  const env = {
    ...session.environment,
    STAGE: stage,
    BASE_IMAGE: "scratch",
    ...(purpose !== "admin" && signAs({ purpose, stage }, profiles())),
  };
  const { exitCode, all } = await execa("node_modules/.bin/stage-run", argv, {
    cwd: scratch.directory,
    env,
    extendEnv: false,
    reject: false,
    all: true,
  });
  expect(exitCode, all).toBe(0);
}

async function tellEverything(): Promise<void> {
  const app = ["--function", "lambda-app"];
  const release = ["image-release", "release", ...app];
  const edit = (from: string, to: string) =>
    scratch.edit("apps/lambda-app/src/handler.ts", `"${from} from`, `"${to} from`, to);
  writeFileSync(profiles(), formatProfiles(roles));
  await runAs("admin", "dev", "infra", "bootstrap");
  await runAs("deploy", "dev", "infra", "deploy", ...app);
  await runAs("deploy", "dev", "infra", "deploy", ...app, "--dry-run");
  await runAs("deploy", "dev", "infra", "deploy", ...app);
  await runAs("release", "dev", ...release);
  await runAs("release", "dev", ...release);
  edit("Hello", "Hello again");
  await runAs("release", "dev", ...release, "--canary", "50%", "--bake", "1s");
  await runAs("diff", "dev", "infra", "diff", ...app);
  scratch.edit("apps/infra/src/function-settings.ts", "memoryMiB: 512", "memoryMiB: 640", "memory");
  await runAs("deploy", "dev", "infra", "deploy", ...app);
  await runAs("release", "dev", "image-release", "rollback", ...app);
  await runAs("deploy", "dev", "infra", "deploy", ...app);
  edit("Hello again", "Hello once more");
  await runAs("release", "dev", ...release);
  await runAs("release", "dev", "image-release", "prune", ...app, "--keep", "1");
  await runAs("deploy", "prod", "infra", "deploy", ...app);
  const across = ["--from-profile", "source-dev", "--to-profile", "release-prod"];
  await runAs(
    "release",
    "prod",
    "image-release",
    "promote",
    ...app,
    "--from",
    "dev",
    "--to",
    "prod",
    ...across,
  );
}

it("each role is granted what its commands call, and nothing that they never call", {
  timeout: 600_000,
}, async () => {
  await tellEverything();
  const calls = parseRecord(readFileSync(recordFile(), "utf8"));
  const findings: string[] = [];
  for (const purpose of purposes) {
    const granting = roles.filter((role) => role.purpose === purpose).map(readRoleGrants);
    const count = granting.flatMap(({ calledBy }) => calledBy(calls)).length;
    const used = new Set(granting.flatMap(({ listNeeded }) => listNeeded(calls)).map(({ action }) => action));
    const granted = new Set(granting.flatMap(({ actions }) => [...actions]));
    const missing = granting.flatMap(({ findMissing }) => findMissing(calls));
    const unused = [...granted].filter((action) => !used.has(action));
    const unexplained = unused.filter((action) => !Object.hasOwn(grantedWithoutCall[purpose], action));
    console.log(
      `${purpose}: ${count} calls recorded, ${granted.size} actions granted, ${unused.length} unused, ${missing.length} missing`,
    );
    for (const action of unused)
      console.log(`  unused: ${action}: ${grantedWithoutCall[purpose][action] ?? "NO REASON"}`);
    for (const need of missing) console.log(`  missing: ${need}`);
    expect(count, purpose).toBeGreaterThan(0);
    findings.push(...missing.map((need) => `${purpose}: missing: ${need}`));
    findings.push(...unexplained.map((action) => `${purpose}: unused without a reason: ${action}`));
  }
  expect(findings).toEqual([]);
});
