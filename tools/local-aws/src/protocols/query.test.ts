import { describe, expect, it } from "vitest";
import { ServiceException } from "../service.ts";
import { buildQueryAnswer, buildQueryError, parseQueryInput } from "./query.ts";

describe("parseQueryInput", () => {
  it("makes lists and structures of dotted names, in the order of the numbers", () => {
    const form = new URLSearchParams([
      ["Action", "CreateChangeSet"],
      ["Version", "2010-05-15"],
      ["StackName", "a"],
      ["Parameters.member.2.ParameterKey", "second"],
      ["Parameters.member.1.ParameterKey", "first"],
      ["Parameters.member.1.ParameterValue", ""],
      ["Parameters.member.10.ParameterKey", "last"],
      ["Nested.Inner.Value", "deep"],
    ]);
    expect(parseQueryInput(form)).toEqual({
      StackName: "a",
      Parameters: [
        { ParameterKey: "first", ParameterValue: "" },
        { ParameterKey: "second" },
        { ParameterKey: "last" },
      ],
      Nested: { Inner: { Value: "deep" } },
    });
  });

  it("takes an empty list for nothing", () => {
    expect(parseQueryInput(new URLSearchParams([["Tags", ""]]))).toEqual({});
  });
});

describe("buildQueryAnswer", () => {
  it("writes lists as members, dates as text, and nothing for what is undefined", () => {
    const output = { At: new Date(0), Names: ["a", "b & c"], None: [], Missing: undefined };
    expect(buildQueryAnswer("Describe", output, "id-1")).toBe(
      "<DescribeResponse><DescribeResult><At>1970-01-01T00:00:00.000Z</At>" +
        "<Names><member>a</member><member>b &amp; c</member></Names><None></None></DescribeResult>" +
        "<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeResponse>",
    );
  });
});

it("says whose fault an error is", () => {
  const sender = new ServiceException("ValidationError", "no <stack>");
  expect(buildQueryError(sender, "id")).toContain(
    "<Type>Sender</Type><Code>ValidationError</Code><Message>no &lt;stack&gt;</Message>",
  );
  const receiver = new ServiceException("InternalFailure", "broken", 500);
  expect(buildQueryError(receiver, "id")).toContain("<Type>Receiver</Type>");
});
