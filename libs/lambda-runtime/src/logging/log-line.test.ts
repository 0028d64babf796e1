import { describe, expect, it } from "vitest";
import { buildJsonLine, buildTextLine } from "./log-line.ts";

const build = (make: typeof buildJsonLine, ...values: unknown[]) =>
  make({ time: new Date(0), level: "ERROR", context: undefined, values });
const json = (...values: unknown[]) => JSON.parse(build(buildJsonLine, ...values));

const refuse = () => {
  throw new Error("no");
};
/** Throws whatever it is asked. */
const hostile = new Proxy({}, { get: refuse, getPrototypeOf: refuse, has: refuse, ownKeys: refuse });

describe("a line of JSON", () => {
  it("has a single error as its message, with what else the error has", () => {
    const error = Object.assign(new RangeError("none left"), { code: "E_QUOTA" });
    expect(json(error)).toEqual({
      timestamp: "1970-01-01T00:00:00.000Z",
      level: "ERROR",
      message: {
        errorType: "RangeError",
        errorMessage: "none left",
        stackTrace: expect.any(Array),
        code: "E_QUOTA",
      },
    });
  });

  it("has the fields of an error beside a message of several values", () => {
    expect(json("failed", new RangeError("none left"))).toMatchObject({
      message: expect.stringMatching(/^failed RangeError: none left/),
      errorType: "RangeError",
      errorMessage: "none left",
    });
  });

  it("shows a cycle, a BigInt and undefined as text", () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle.self = cycle;
    expect(json(cycle).message).toContain("[Circular *1]");
    expect(json({ n: 1n }).message).toBe("{ n: 1n }");
    expect(json(undefined).message).toBe("undefined");
  });
});

describe.each([
  ["JSON", buildJsonLine],
  ["text", buildTextLine],
])("a line of %s", (_what, make) => {
  it("is written whatever the values do when they are looked at", () => {
    expect(build(make, hostile)).toMatch(/^[^\n]+\n$/);
    expect(build(make, "with", hostile, new Error("and more"))).toMatch(/^[^\n]+\n$/);
    expect(build(make, Object.defineProperty(new Error(), "message", { get: refuse }))).toMatch(/^[^\n]+\n$/);
  });
});
