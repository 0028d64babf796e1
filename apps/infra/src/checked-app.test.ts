import { Stack } from "aws-cdk-lib";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { CfnTopic } from "aws-cdk-lib/aws-sns";
import { beforeAll, expect, it } from "vitest";
import { createCheckedApp } from "./checked-app.ts";
import { buildApp, published } from "./testing/templates.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

const env = { account: "111111111111", region: "eu-central-1" };

it("an app that looks something up is refused, and every key is named", () => {
  const app = createCheckedApp();
  const stack = new Stack(app, "network", { env });
  Vpc.fromLookup(stack, "Vpc", { vpcName: "shared" });
  void stack.availabilityZones;
  expect(() => app.synth()).toThrow(
    expect.objectContaining({
      code: "E_CONTEXT_MISSING",
      value: [
        expect.stringContaining("vpc-provider:account=111111111111:filter.tag:Name=shared"),
        expect.stringContaining("availability-zones:account=111111111111"),
      ],
    }),
  );
});

it("a stack that deploy doesn't carry out is refused, wherever it is made", () => {
  const app = buildApp("dev", published);
  expect(() => app.synth()).not.toThrow();
  const other = buildApp("dev", published);
  new CfnTopic(new Stack(other, "shared-topics", { env }), "Topic");
  new CfnTopic(new Stack(other.node.findChild("lambda-app-dev"), "Alarms", { env }), "Topic");
  expect(() => other.synth()).toThrow(
    expect.objectContaining({
      code: "E_STACK_NOT_DEPLOYED",
      value: [expect.stringMatching(/^lambdaappdevAlarms/), "shared-topics"],
    }),
  );
});
