import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stageNames, stages } from "@workspace/shared-config";
import { type App, CfnResource, Stack } from "aws-cdk-lib";
import { beforeAll, expect, it } from "vitest";
import { parseGitHubRepository } from "./roles/github-subject.ts";
import { buildRolesApp } from "./roles/roles-app.ts";
import { buildApp, functionsOn, initialImage, published } from "./testing/templates.ts";

beforeAll(() => {
  delete process.env.CDK_VALIDATION;
});

/** What CloudFormation's schemas and rules find in the templates, warnings too: `W3030: …`. */
function findViolations(app: App): string[] {
  const { directory } = app.synth();
  const { pluginReports } = JSON.parse(readFileSync(join(directory, "validation-report.json"), "utf8")) as {
    pluginReports: { violations: { ruleName: string; description: string }[] }[];
  };
  return pluginReports.flatMap(({ violations }) =>
    violations.map(({ ruleName, description }) => `${ruleName}: ${description}`),
  );
}

/** The functions of dev, with a parameter that has these properties. */
function buildAppWith(properties: Record<string, unknown>): App {
  const app = buildApp("dev", published);
  const stack = app.node.children.find((child) => Stack.isStack(child));
  if (stack === undefined) throw new Error("no stacks");
  new CfnResource(stack, "Planted", { type: "AWS::SSM::Parameter", properties });
  return app;
}

it.each(stageNames)("CloudFormation's rules find nothing in the stacks of the functions on %s", (stage) => {
  expect(findViolations(buildApp(stage, published))).toEqual([]);
  expect(findViolations(buildApp(stage, initialImage()))).toEqual([]);
});

it.each(["dev", "prod"] as const)("CloudFormation's rules find nothing in the roles of %s", (name) => {
  const stage = stages[name];
  const repository = parseGitHubRepository("octo-org/octo-repo");
  const props = { account: "111111111111", region: stage.region, stage, fns: functionsOn(name), repository };
  expect(findViolations(buildRolesApp(props))).toEqual([]);
});

it("CloudFormation's rules find a value that a property can't have", () => {
  expect(findViolations(buildAppWith({ Type: "Strin", Value: "x" }))).toEqual([
    expect.stringContaining("W3030: Type: 'Strin'"),
  ]);
});

it("a template that CloudFormation would refuse can't be synthesised", () => {
  expect(() => buildAppWith({ Type: "String", Value: "x", Nope: 1 }).synth()).toThrow("F3002");
});
