import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Purpose, purposes } from "@workspace/handoff";
import { decide, type PolicyDocument, type RecordedCall } from "@workspace/local-aws";
import { parseFunction, stages } from "@workspace/shared-config";
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseGitHubRepository } from "../../../../apps/infra/src/roles/github-subject.ts";
import { buildRolesApp, rolesStackName } from "../../../../apps/infra/src/roles/roles-app.ts";
import { createScratchWorkspace, type ScratchWorkspace } from "../scratch-workspace.ts";
import { openStageSession, type StageSession } from "../stage-session.ts";
import { listNeededPermissions, type NeededPermission } from "./recorded-permission.ts";

const account = "000000000000";
const { region } = stages.dev;

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

/** Tried, and refused on purpose. */
const triedWithoutGrant: Readonly<Record<string, string>> = {
  [`sts:AssumeRole on arn:aws:iam::${account}:role/cdk-hnb659fds-lookup-role-${account}-${region}`]:
    "a diff tries the CDK's lookup role, and goes on with the caller's own rights where it is refused",
};

let scratch: ScratchWorkspace;
let session: StageSession;
const recordFile = () => join(scratch.directory, ".local-aws", "record.jsonl");

beforeAll(async () => {
  scratch = createScratchWorkspace();
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
    AWS_ACCESS_KEY_ID: `${purpose}-${stage}`,
    AWS_CONFIG_FILE: join(scratch.directory, ".local-aws", "profiles"),
    AWS_SHARED_CREDENTIALS_FILE: join(scratch.directory, ".local-aws", "profiles"),
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
  const profile = (name: string) => `[${name}]\naws_access_key_id = ${name}\naws_secret_access_key = x\n`;
  writeFileSync(
    join(scratch.directory, ".local-aws", "profiles"),
    profile("source-dev") + profile("release-prod"),
  );
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
  const profiles = ["--from-profile", "source-dev", "--to-profile", "release-prod"];
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
    ...profiles,
  );
}

/** The policies of a role, as they are synthesised. */
function readPolicies(purpose: Purpose, stageName: "dev" | "prod"): PolicyDocument[] {
  const stage = stages[stageName];
  const fns = [parseFunction("lambda-app", stage, "x86_64")];
  const app = buildRolesApp({ account, region, stage, fns, repository: parseGitHubRepository("owner/name") });
  const stack = app.node.findChild(rolesStackName(stage));
  if (!Stack.isStack(stack)) throw new Error(`${rolesStackName(stage)} is no stack`);
  const policies = Object.entries(Template.fromStack(stack).findResources("AWS::IAM::ManagedPolicy"));
  const prefix = `${purpose.charAt(0).toUpperCase()}${purpose.slice(1)}Policy`;
  return policies
    .filter(([logicalId]) => logicalId.startsWith(prefix))
    .map(([, { Properties }]) => Properties.PolicyDocument);
}

const describeNeed = ({ action, resource }: NeededPermission) => `${action} on ${resource}`;

it("each role is granted what its commands call, and nothing that they never call", {
  timeout: 600_000,
}, async () => {
  process.env.CDK_VALIDATION = "false";
  await tellEverything();
  const calls = readFileSync(recordFile(), "utf8")
    .trim()
    .split("\n")
    .map((line): RecordedCall => JSON.parse(line));
  const findings: string[] = [];
  for (const purpose of purposes) {
    const used = new Set<string>();
    const granted = new Set<string>();
    const missing = new Set<string>();
    let count = 0;
    for (const stage of ["dev", "prod"] as const) {
      const policies = readPolicies(purpose, stage);
      const own = calls.filter(({ accessKeyId }) => accessKeyId === `${purpose}-${stage}`);
      count += own.length;
      for (const need of own.flatMap((call) => listNeededPermissions(call, region, account))) {
        used.add(need.action);
        const explained = Object.hasOwn(triedWithoutGrant, describeNeed(need));
        if (!explained && !decide(policies, need.action, need.resource)) missing.add(describeNeed(need));
      }
      for (const { Action = [] } of policies.flatMap(({ Statement }) => Statement)) {
        for (const action of [Action].flat()) granted.add(String(action));
      }
    }
    const unused = [...granted].filter((action) => !used.has(action));
    const unexplained = unused.filter((action) => !Object.hasOwn(grantedWithoutCall[purpose], action));
    console.log(
      `${purpose}: ${count} calls recorded, ${granted.size} actions granted, ${unused.length} unused, ${missing.size} missing`,
    );
    for (const action of unused)
      console.log(`  unused: ${action}: ${grantedWithoutCall[purpose][action] ?? "NO REASON"}`);
    for (const need of missing) console.log(`  missing: ${need}`);
    expect(count, purpose).toBeGreaterThan(0);
    findings.push(...[...missing].map((need) => `${purpose}: missing: ${need}`));
    findings.push(...unexplained.map((action) => `${purpose}: unused without a reason: ${action}`));
  }
  expect(findings).toEqual([]);
});
