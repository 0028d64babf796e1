import { Match } from "aws-cdk-lib/assertions";
import { beforeAll, expect, it } from "vitest";
import { buildApp, functionOn, published, synthesize } from "./testing/templates.ts";

beforeAll(() => {
  process.env.CDK_VALIDATION = "false";
});

const synthesized = () => synthesize(functionOn("dev"), published).repository;

it("survives its stack, but not a create that failed", () => {
  synthesized().hasResource("AWS::ECR::Repository", {
    DeletionPolicy: "RetainExceptOnCreate",
    UpdateReplacePolicy: "Retain",
  });
});

it("lets no tag move but the placeholder's, scans and encrypts", () => {
  synthesized().hasResourceProperties("AWS::ECR::Repository", {
    RepositoryName: "lambda-app-dev",
    ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    ImageTagMutabilityExclusionFilters: [
      {
        ImageTagMutabilityExclusionFilterType: "WILDCARD",
        ImageTagMutabilityExclusionFilterValue: "initial",
      },
    ],
    ImageScanningConfiguration: { ScanOnPush: true },
    // Without it ECR encrypts with AES-256.
    EncryptionConfiguration: Match.absent(),
    EmptyOnDelete: Match.absent(),
  });
});

it("expires nothing that has a tag", () => {
  const [repository] = Object.values(synthesized().findResources("AWS::ECR::Repository"));
  const { rules } = JSON.parse(repository?.Properties.LifecyclePolicy.LifecyclePolicyText);
  expect(rules.map(({ selection }: { selection: { tagStatus: string } }) => selection.tagStatus)).toEqual([
    "untagged",
  ]);
});

it("lets Lambda pull for this function, and nobody else", () => {
  const [repository] = Object.values(synthesized().findResources("AWS::ECR::Repository"));
  const { Statement } = repository?.Properties.RepositoryPolicyText ?? {};
  expect(Statement).toHaveLength(1);
  expect(Statement[0]).toMatchObject({
    Principal: { Service: "lambda.amazonaws.com" },
    Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
  });
  const { region } = functionOn("dev").stage;
  const functionArn = (end: string) => ({
    "Fn::Join": [
      "",
      ["arn:", { Ref: "AWS::Partition" }, `:lambda:${region}:111111111111:function:lambda-app-dev${end}`],
    ],
  });
  // Not of what only begins with its name.
  expect(Statement[0].Condition).toEqual({
    StringLike: { "aws:sourceArn": [functionArn(""), functionArn(":*")] },
  });
});

it("can't be deleted by mistake", () => {
  const fn = functionOn("prod");
  expect(buildApp("prod", published).node.findChild(fn.repositoryStackName)).toMatchObject({
    terminationProtection: true,
  });
});
