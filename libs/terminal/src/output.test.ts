import { CodedError, exitCodes } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { formatError, formatResult } from "./output.ts";

describe("formatResult", () => {
  const result = { lines: ["live: 0a1b", "done"], value: { tag: "0a1b" } };
  it("gives lines to a person", () => expect(formatResult(result, false)).toBe("live: 0a1b\ndone\n"));
  it("gives one document to a machine", () =>
    expect(JSON.parse(formatResult(result, true))).toEqual({ tag: "0a1b" }));
  it.each([true, false])("gives nothing where all was printed as it came (json: %s)", (json) =>
    expect(formatResult({ lines: [], value: undefined }, json)).toBe(""),
  );
});

describe("formatError", () => {
  it("shows all parts of a foreseen failure, and what caused it", () => {
    const error = new CodedError({
      code: "E_OUTER",
      what: "release failed",
      value: "0a1b",
      remedy: "Run it again.",
      cause: new CodedError({
        code: "E_INNER",
        what: "push failed",
        remedy: "Log in.",
        cause: new AggregateError([new TypeError("one\nmore"), new RangeError("two")]),
      }),
    });
    expect(formatError(error)).toBe(
      [
        "E_OUTER: release failed",
        "  got: 0a1b",
        "  because: E_INNER: push failed. Log in.",
        "  because: TypeError: one",
        "  | more",
        "  because: RangeError: two",
        "  → Run it again.",
        "",
      ].join("\n"),
    );
  });

  it("keeps the lines of what a tool said, and shows an object as JSON", () => {
    const error = (value: unknown) =>
      formatError(new CodedError({ code: "E_X", what: "x", value, remedy: "Do." }));
    expect(error("a\nb")).toContain("\n  | a\n  | b\n");
    expect(error({ pid: 1 })).toContain('got: {"pid":1}');
    expect(error("")).toContain("got: \n");
    expect(error(undefined)).not.toContain("got");
  });

  it.each([
    [
      exitCodes.rolledBack,
      "failed after something had moved; it was put back, unless the message says otherwise",
    ],
    [exitCodes.drift, "drift: what is published, deployed and live disagree"],
    [exitCodes.leaseHeld, "another command holds the lease (or took it over) and nothing more was moved"],
  ])("says that it ends with %i, and what that means", (exitCode, meaning) => {
    const error = new CodedError({ code: "E_X", what: "x", value: "y", remedy: "Do.", exitCode });
    expect(formatError(error)).toBe(`E_X: x\n  got: y\n  exit code ${exitCode}: ${meaning}\n  → Do.\n`);
  });

  it("says nothing of it where it only failed", () =>
    expect(formatError(new CodedError({ code: "E_X", what: "x", remedy: "Do." }))).toBe("E_X: x\n  → Do.\n"));

  it("shows a bug with its stack", () => {
    expect(formatError(new TypeError("x is not a function"))).toContain("output.test.ts");
  });
});
