import { beforeAll, expect, it } from "vitest";
import { functionOn, initialImage, synthesize } from "./testing/templates.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

it("gives who copies the placeholder no right to everything but the one that knows no resource", () => {
  const template = synthesize(functionOn("dev"), initialImage()).function;
  const statements = Object.values(template.findResources("AWS::IAM::Policy")).flatMap(
    ({ Properties }): Statement[] => Properties.PolicyDocument.Statement,
  );
  const wide = statements.filter(({ Resource }) => [Resource].flat().includes("*"));
  expect(new Set(wide.flatMap(({ Action }) => Action))).toEqual(new Set(["ecr:GetAuthorizationToken"]));
});
