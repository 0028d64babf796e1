import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Purpose, purposes } from "@workspace/handoff";
import { decide, type PolicyDocument, type RecordedCall } from "@workspace/local-aws";
import { parseFunction, stages } from "@workspace/shared-config";
import { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { parseGitHubRepository } from "../../../../apps/infra/src/roles/github-subject.ts";
import { buildRolesApp, rolesStackName } from "../../../../apps/infra/src/roles/roles-app.ts";
import { listNeededPermissions, type NeededPermission } from "./recorded-permission.ts";

const account = "000000000000";
const { region } = stages.local;

/** Tried, and refused on purpose. */
const triedWithoutGrant: Readonly<Record<string, string>> = {
  [`sts:AssumeRole on arn:aws:iam::${account}:role/cdk-hnb659fds-lookup-role-${account}-${region}`]:
    "a diff tries the CDK's lookup role, and goes on with the caller's own rights where it is refused",
};

/** One of the roles that CI works under. */
export interface Role {
  readonly purpose: Purpose;
  readonly stage: "dev" | "prod";
}

export const roles: readonly Role[] = (["dev", "prod"] as const).flatMap((stage) =>
  purposes.map((purpose) => ({ purpose, stage })),
);

const buildAccessKeyId = ({ purpose, stage }: Role) => `${purpose}-${stage}`;

/** The environment of a command that works under a role, and knows every other by its profile. */
export function signAs(role: Role, profiles: string): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: buildAccessKeyId(role),
    AWS_CONFIG_FILE: profiles,
    AWS_SHARED_CREDENTIALS_FILE: profiles,
  };
}

/** The text of a credentials file with a profile for each role: `source-dev`, `release-prod`. */
export function formatProfiles(known: readonly Role[]): string {
  const keys = known.map(buildAccessKeyId);
  return keys.map((key) => `[${key}]\naws_access_key_id = ${key}\naws_secret_access_key = x\n`).join("");
}

/** What a role may do, by the policies that its stack is synthesised with. */
export interface RoleGrants {
  /** Every action that is granted, on whatever resource. */
  readonly actions: ReadonlySet<string>;
  readonly calledBy: (calls: readonly RecordedCall[]) => RecordedCall[];
  /** What the role's own calls needed, one for each call and resource. */
  readonly listNeeded: (calls: readonly RecordedCall[]) => NeededPermission[];
  /** What they needed and were not granted: `ssm:GetParameter on arn:…`, each once. */
  readonly findMissing: (calls: readonly RecordedCall[]) => string[];
}

export function readRoleGrants({ purpose, stage }: Role): RoleGrants {
  const policies = synthesisePolicies({ purpose, stage });
  const own = buildAccessKeyId({ purpose, stage });
  const calledBy = (calls: readonly RecordedCall[]) => calls.filter((call) => call.accessKeyId === own);
  const listNeeded = (calls: readonly RecordedCall[]) =>
    calledBy(calls).flatMap((call) => listNeededPermissions(call, region, account));
  const statements = policies.flatMap(({ Statement }) => Statement);
  return {
    actions: new Set(statements.flatMap(({ Action = [] }) => Action)),
    calledBy,
    listNeeded,
    findMissing(calls) {
      const missing = listNeeded(calls).filter(({ action, resource }) => !decide(policies, action, resource));
      const described = new Set(missing.map(({ action, resource }) => `${action} on ${resource}`));
      return [...described].filter((need) => !Object.hasOwn(triedWithoutGrant, need));
    },
  };
}

function synthesisePolicies({ purpose, stage: name }: Role): PolicyDocument[] {
  // The app's own tests hold its templates against CloudFormation's rules: here it would only take time.
  process.env.CDK_VALIDATION = "false";
  const stage = stages[name];
  const fns = [parseFunction("lambda-app", stage, "x86_64")];
  const repository = parseGitHubRepository("owner/name");
  const outdir = mkdtempSync(join(tmpdir(), "roles-"));
  const app = buildRolesApp({ account, region, stage, fns, repository, outdir });
  const stack = app.node.findChild(rolesStackName(stage));
  if (!Stack.isStack(stack)) throw new Error(`${rolesStackName(stage)} is no stack`);
  const policies = Object.entries(Template.fromStack(stack).findResources("AWS::IAM::ManagedPolicy"));
  rmSync(outdir, { recursive: true });
  const prefix = `${purpose.charAt(0).toUpperCase()}${purpose.slice(1)}Policy`;
  return policies
    .filter(([logicalId]) => logicalId.startsWith(prefix))
    .map(([, { Properties }]) => Properties.PolicyDocument);
}

/** @param text a record: a call in JSON on each line */
export function parseRecord(text: string): RecordedCall[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line): RecordedCall => JSON.parse(line));
}
