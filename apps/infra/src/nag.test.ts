import { type StageName, stageNames, stages } from "@workspace/shared-config";
import type { App } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { AwsSolutionsChecks } from "cdk-nag";
import { beforeAll, expect, it } from "vitest";
import { parseGitHubRepository } from "./roles/github-subject.ts";
import { buildRolesApp } from "./roles/roles-app.ts";
import { RolesStack } from "./roles/roles-stack.ts";
import { buildApp, functionsOn, initialImage, published } from "./testing/templates.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

/** What cdk-nag's AWS Solutions pack finds, but for what is acknowledged with a reason. */
function findViolations(app: App): string[] {
  const { violations } = new AwsSolutionsChecks().validateScope(app);
  return violations.flatMap(({ ruleName, description, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}: ${description}`),
  );
}

function buildRoles(stage: StageName): App {
  return buildRolesApp({
    account: "111111111111",
    region: stages[stage].region,
    stage: stages[stage],
    fns: functionsOn(stage),
    repository: parseGitHubRepository("octo-org/octo-repo"),
  });
}

it.each(stageNames)("cdk-nag finds nothing in the stacks of the functions on %s", (stage) => {
  expect(findViolations(buildApp(stage, published))).toEqual([]);
  expect(findViolations(buildApp(stage, initialImage()))).toEqual([]);
});

it.each(["dev", "prod"] as const)("cdk-nag finds nothing in the roles of %s", (stage) => {
  expect(findViolations(buildRoles(stage))).toEqual([]);
});

it("cdk-nag finds a right that is too wide, even beside those that are acknowledged", () => {
  const app = buildRoles("dev");
  const stack = app.node.children.find((child) => child instanceof RolesStack);
  if (stack === undefined) throw new Error("no roles");
  const role = new Role(stack, "TooWide", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  role.addToPolicy(new PolicyStatement({ actions: ["s3:*"], resources: ["arn:aws:s3:::bucket"] }));
  expect(findViolations(app)).toEqual([expect.stringContaining("AwsSolutions-IAM5[Action::s3:*]")]);
});
