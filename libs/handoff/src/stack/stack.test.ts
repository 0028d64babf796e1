import { expect, it } from "vitest";
import { listTemplateImages } from "./stack.ts";

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
