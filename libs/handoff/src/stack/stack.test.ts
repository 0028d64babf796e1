import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { describe, expect, it } from "vitest";
import { buildAwsError } from "../testing/intercept.ts";
import { buildTestClients } from "../testing/local-aws.ts";
import { findStackStatus, findTemplate, listTemplateImages } from "./stack.ts";

const withImage = (ImageUri: unknown) => ({
  Resources: {
    Function: { Type: "AWS::Lambda::Function", Properties: { Code: { ImageUri } } },
    Repository: { Type: "AWS::ECR::Repository", Properties: { Code: { ImageUri: "x:not-a-function" } } },
    Zip: { Type: "AWS::Lambda::Function", Properties: { Code: {} } },
  },
});
const host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

it.each([
  [`${host}/lambda-app-dev:0a1b2c3d4e5f`, ["0a1b2c3d4e5f"]],
  [`127.0.0.1:4566/lambda-app-dev:initial`, ["initial"]],
  [`${host}/lambda-app-dev@sha256:${"a".repeat(64)}`, [`sha256:${"a".repeat(64)}`]],
  [{ "Fn::Sub": [`${host}/lambda-app-dev:initial`, {}] }, ["initial"]],
  [
    {
      "Fn::Join": ["", [{ Ref: "AWS::AccountId" }, ".dkr.ecr.", { Ref: "AWS::Region" }, "/app:0a1b2c3d4e5f"]],
    },
    ["0a1b2c3d4e5f"],
  ],
  [undefined, []],
])("finds the image in %j", (imageUri, expected) => {
  expect(listTemplateImages(withImage(imageUri))).toEqual(expected);
});

it("finds none in an empty template", () => {
  expect(listTemplateImages({})).toEqual([]);
});

describe.each([
  ["findStackStatus", findStackStatus],
  ["findTemplate", findTemplate],
])("%s", (_name, find) => {
  /** What is found where CloudFormation answers with this error. */
  const findWith = (error: Error) => {
    const cloudformation = new CloudFormationClient({ region: "eu-central-1" });
    cloudformation.send = () => Promise.reject(error);
    return find({ ...buildTestClients("http://127.0.0.1:9"), cloudformation }, "lambda-app-dev");
  };

  it("finds nothing where there is no such stack", async () => {
    const missing = buildAwsError("ValidationError", "Stack with id lambda-app-dev does not exist");
    expect(await findWith(missing)).toBeUndefined();
  });

  it.each([
    buildAwsError("AccessDenied", "the policy that would allow it does not exist"),
    buildAwsError("Throttling"),
    buildAwsError("ValidationError", "1 validation error detected"),
  ])("takes $name: $message for no such proof", async (error) => {
    await expect(findWith(error)).rejects.toBe(error);
  });
});
