import { SSMServiceException } from "@aws-sdk/client-ssm";
import { CodedError } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { explainAwsFailure } from "./aws-failure.ts";

const verify = "nx run lambda-app:verify --stage dev";
const named = (name: string, members: object = {}) =>
  Object.assign(new Error("not allowed"), { name, ...members });

describe("explainAwsFailure", () => {
  it.each([
    new SSMServiceException({
      name: "ParameterLimitExceeded",
      message: "not allowed",
      $fault: "client",
      $metadata: {},
    }),
    named("InternalFailure", { $metadata: { attempts: 5 } }),
  ])("names %s, and what to look at", (error) => {
    expect(explainAwsFailure(error, verify)).toMatchObject({
      code: "E_AWS_CALL_FAILED",
      what: expect.stringContaining(error.name),
      value: "not allowed",
      remedy: expect.stringContaining(verify),
      cause: error,
    });
  });

  it.each([
    [named("AccessDeniedException", { $metadata: {} }), "E_AWS_CALL_DENIED"],
    [named("TimeoutError", { $metadata: { attempts: 5 } }), "E_AWS_CALL_UNREACHABLE"],
    [named("CredentialsProviderError"), "E_AWS_CALL_CREDENTIALS_INVALID"],
  ])("knows the cause of %s", (error, code) => {
    expect(explainAwsFailure(error, verify)).toMatchObject({ code, value: "not allowed", cause: error });
  });

  it.each([
    new CodedError({ code: "E_X", what: "x", remedy: "Do." }),
    new TypeError("a bug"),
    named("TimeoutError"),
    "a thrown text",
  ])("leaves %s as it is", (error) => expect(explainAwsFailure(error, verify)).toBe(error));
});
