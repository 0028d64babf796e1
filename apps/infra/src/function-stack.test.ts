import type { Stage } from "@workspace/shared-config";
import { Match } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { functionOn, initialImage, published, synthesize } from "./testing/templates.ts";

beforeAll(() => {
  // Policy validation at synth takes a second for each app, and belongs to deploy.
  process.env.CDK_VALIDATION = "false";
});

/** The function on a stage of which one thing is known. */
const functionWith = (known: Partial<Stage>) => {
  const fn = functionOn("dev");
  return { ...fn, stage: { ...fn.stage, ...known } };
};

const providerTypes = ["Custom::CDKECRDeployment", "AWS::CloudFormation::CustomResource"];

describe("before the first release", () => {
  const synthesized = () => synthesize(functionOn("dev"), initialImage()).function;

  it("puts the placeholder into the repository before it makes the function", () => {
    const template = synthesized();
    const [deployment = ""] = Object.keys(template.findResources("Custom::CDKECRDeployment"));
    template.hasResource("AWS::Lambda::Function", {
      Properties: { PackageType: "Image", FunctionName: "lambda-app-dev" },
      DependsOn: Match.arrayWith([deployment]),
    });
    expect(JSON.stringify(template.findResources("Custom::CDKECRDeployment"))).toContain(
      "lambda-app-dev:initial",
    );
  });

  it("names the placeholder", () => {
    expect(JSON.stringify(synthesized().findOutputs("ImageTag"))).toContain('"initial"');
  });
});

describe("after a release", () => {
  const synthesized = () => synthesize(functionOn("dev"), published).function;

  it("has the published image, and nothing of the placeholder", () => {
    const template = synthesized();
    template.resourceCountIs("AWS::Lambda::Function", 1);
    for (const type of providerTypes) template.resourceCountIs(type, 0);
    expect(JSON.stringify(template.findResources("AWS::Lambda::Function"))).toContain(
      "/lambda-app-dev:0a1b2c3d4e5f",
    );
    expect(JSON.stringify(template.toJSON())).not.toContain("initial");
  });

  it("gives the function no right but to write its own log", () => {
    const template = synthesized();
    template.hasResourceProperties("AWS::IAM::Role", { ManagedPolicyArns: Match.absent() });
    const policies = Object.values(template.findResources("AWS::IAM::Policy"));
    expect(policies).toHaveLength(1);
    template.hasResourceProperties("AWS::IAM::Policy", {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: {
              "Fn::Join": [
                "",
                Match.arrayWith([Match.stringLikeRegexp("log-group:/aws/lambda/lambda-app-dev:\\*$")]),
              ],
            },
          }),
        ],
      },
    });
  });

  it("keeps the logs for as long as the stage says", () => {
    const { function: template } = synthesize(functionWith({ logRetentionDays: 14 }), published);
    template.hasResourceProperties("AWS::Logs::LogGroup", {
      LogGroupName: "/aws/lambda/lambda-app-dev",
      RetentionInDays: 14,
    });
  });
});

describe("version and alias", () => {
  const stable = (image: Parameters<typeof synthesize>[1]) => {
    const template = synthesize(functionOn("dev"), image).function;
    return {
      ...template.findResources("AWS::Lambda::Version"),
      ...template.findResources("AWS::Lambda::Alias"),
    };
  };

  it("are the same in every template, so that CloudFormation never touches them", () => {
    const first = stable(initialImage());
    expect(Object.keys(first)).toEqual(["FirstVersion", "Live"]);
    expect(stable(published)).toEqual(first);
    expect(stable({ kind: "published", tag: "ffffffffffff" })).toEqual(first);
  });

  it("pin neither code nor anything else that moves", () => {
    const template = synthesize(functionOn("dev"), published).function;
    template.hasResourceProperties("AWS::Lambda::Version", {
      CodeSha256: Match.absent(),
      Description: Match.absent(),
    });
    template.hasResourceProperties("AWS::Lambda::Alias", {
      Name: "live",
      RoutingConfig: Match.absent(),
      ProvisionedConcurrencyConfig: Match.absent(),
    });
  });
});

describe("the URL", () => {
  it("is left out where the stage has none", () => {
    const fn = functionOn("dev");
    const { functionUrlAuth: _, ...stage } = fn.stage;
    const template = synthesize({ ...fn, stage }, published).function;
    template.resourceCountIs("AWS::Lambda::Url", 0);
    template.resourceCountIs("AWS::Lambda::Permission", 0);
    expect(template.findOutputs("FunctionUrl")).toEqual({});
  });

  it("wants a signature where the stage says so, and nobody is let in besides", () => {
    const template = synthesize(functionWith({ functionUrlAuth: "AWS_IAM" }), published).function;
    template.hasResourceProperties("AWS::Lambda::Url", { AuthType: "AWS_IAM", Qualifier: "live" });
    template.resourceCountIs("AWS::Lambda::Permission", 0);
  });

  it("is open where the stage says so, by the two permissions that Lambda asks for, on the alias", () => {
    const template = synthesize(functionWith({ functionUrlAuth: "NONE" }), published).function;
    const [alias = ""] = Object.keys(template.findResources("AWS::Lambda::Alias"));
    template.hasResourceProperties("AWS::Lambda::Url", { AuthType: "NONE", Qualifier: "live" });
    template.resourceCountIs("AWS::Lambda::Permission", 2);
    template.allResourcesProperties("AWS::Lambda::Permission", {
      FunctionName: { Ref: alias },
      Principal: "*",
    });
    template.hasResourceProperties("AWS::Lambda::Permission", {
      Action: "lambda:InvokeFunction",
      InvokedViaFunctionUrl: true,
    });
  });
});
