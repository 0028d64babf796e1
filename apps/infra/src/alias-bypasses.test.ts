import { Duration, Stack } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Alias,
  CfnEventSourceMapping,
  CfnPermission,
  DockerImageFunction,
  type IFunction,
} from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { beforeAll, describe, expect, it } from "vitest";
import { buildApp, published } from "./testing/templates.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

/** The functions of dev; something is added to the stack of one of them. */
function buildAppWith(add: (stack: Stack, lambda: IFunction, live: IFunction) => void) {
  const app = buildApp("dev", published);
  const stack = app.node.findChild("lambda-app-dev");
  const [lambda, live] = ["Function", "Live"].map((id) => stack.node.findChild(id));
  if (!(stack instanceof Stack && lambda instanceof DockerImageFunction && live instanceof Alias))
    throw new Error("the stack of a function has other parts");
  add(stack, lambda, live);
  return app;
}

/** What a team would attach, in the ways of the CDK. */
const attachments: [string, (stack: Stack, target: IFunction) => void, string[]][] = [
  [
    "a queue",
    (stack, target) => target.addEventSource(new SqsEventSource(new Queue(stack, "Queue"))),
    [expect.stringContaining("SqsEventSource")],
  ],
  [
    "an HTTP API",
    (stack, target) =>
      new HttpApi(stack, "Api").addRoutes({
        path: "/",
        integration: new HttpLambdaIntegration("Root", target),
      }),
    [expect.stringMatching(/ApiANYRoot\w+$/), expect.stringMatching(/ApiANYRootPermission\w+$/)],
  ],
  [
    "a schedule",
    (stack, target) =>
      new Rule(stack, "Rule", {
        schedule: Schedule.rate(Duration.minutes(5)),
        targets: [new LambdaFunction(target)],
      }),
    [expect.stringContaining("Rule"), expect.stringContaining("RuleAllowEventRule")],
  ],
  [
    "a permission",
    (_stack, target) => target.grantInvoke(new ServicePrincipal("events.amazonaws.com")),
    [expect.stringContaining("Invoke")],
  ],
  [
    "the end of an asynchronous invocation",
    (_stack, target) => target.configureAsyncInvoke({ retryAttempts: 0 }),
    [expect.stringContaining("EventInvokeConfig")],
  ],
];

describe.each(attachments)("%s", (_what, attach, resources) => {
  it("is refused on the function by itself", () => {
    const app = buildAppWith((stack, lambda) => attach(stack, lambda));
    expect(() => app.synth()).toThrow(
      expect.objectContaining({ code: "E_ALIAS_BYPASSED", value: expect.arrayContaining(resources) }),
    );
  });

  it("is taken on its alias", () => {
    const app = buildAppWith((stack, _lambda, live) => attach(stack, live));
    expect(() => app.synth()).not.toThrow();
  });
});

it.each([
  ["lambda-app-dev", true],
  ["arn:aws:lambda:eu-central-1:111111111111:function:lambda-app-dev", true],
  ["lambda-app-dev:$LATEST", true],
  ["lambda-app-dev:live", false],
  ["arn:aws:lambda:eu-central-1:111111111111:function:lambda-app-dev:live", false],
  ["lambda-app-dev-2", false],
])("a name that is written out, %s, is refused: %s", (functionName, isRefused) => {
  const app = buildAppWith((stack) => {
    const eventSourceArn = "arn:aws:sqs:eu-central-1:111111111111:queue";
    new CfnEventSourceMapping(stack, "Mapping", { functionName, eventSourceArn });
    new CfnPermission(stack, "Permission", { functionName, action: "lambda:InvokeFunction", principal: "1" });
  });
  if (!isRefused) return expect(() => app.synth()).not.toThrow();
  expect(() => app.synth()).toThrow(
    expect.objectContaining({
      code: "E_ALIAS_BYPASSED",
      value: ["lambda-app-dev: Mapping", "lambda-app-dev: Permission"],
    }),
  );
});

it("a name that is put together of the function's and the alias's is taken", () => {
  const app = buildAppWith((stack, lambda) => {
    const functionName = `${lambda.functionName}:live`;
    new CfnPermission(stack, "Permission", { functionName, action: "lambda:InvokeFunction", principal: "1" });
  });
  expect(() => app.synth()).not.toThrow();
});

it("what watches the function may name it", () => {
  const app = buildAppWith((stack, lambda, live) => {
    const detail = { functionName: [lambda.functionName] };
    const targets = [new LambdaFunction(live)];
    new Rule(stack, "Failures", { eventPattern: { source: ["aws.lambda"], detail }, targets });
    lambda.metricErrors().createAlarm(stack, "AnyErrors", { threshold: 1, evaluationPeriods: 1 });
    live.metricErrors().createAlarm(stack, "LiveErrors", { threshold: 1, evaluationPeriods: 1 });
  });
  expect(() => app.synth()).not.toThrow();
});
