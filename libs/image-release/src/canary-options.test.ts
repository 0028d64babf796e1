import { describe, expect, it } from "vitest";
import { buildCanary } from "./canary-options.ts";

describe("buildCanary", () => {
  it("is none where none is asked for", () => expect(buildCanary({})).toBeUndefined());
  it("bakes for five minutes unless told", () => {
    expect(buildCanary({ canary: 10 })).toEqual({ percent: 10, bakeMs: 300_000, alarmName: undefined });
    expect(buildCanary({ canary: 10, bake: 1_000, alarm: "errors" })).toEqual({
      percent: 10,
      bakeMs: 1_000,
      alarmName: "errors",
    });
  });
  it.each([{ bake: 1_000 }, { alarm: "errors" }])("refuses %j without a canary", (options) => {
    expect(() => buildCanary(options)).toThrow("E_USAGE");
  });
});
