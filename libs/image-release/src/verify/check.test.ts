import { CodedError } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { type Check, check, formatChecks, isOk } from "./check.ts";

const ok: Check = { name: "a", verdict: "OK", detail: "found" };
const skipped: Check = { name: "b", verdict: "SKIP", detail: "not allowed to look" };
const wrong: Check = { name: "c", verdict: "NG", detail: "missing", remedy: "Make it." };

describe("check", () => {
  it("makes a finding of a foreseen failure", async () => {
    const error = new CodedError({ code: "E_X", what: "x is wrong", value: 1, remedy: "Mend x." });
    const found = await check("x", () => Promise.reject(error));
    expect(found).toEqual({ name: "x", verdict: "NG", detail: "E_X: x is wrong (got 1)", remedy: "Mend x." });
  });

  it("rethrows what was not foreseen", async () => {
    await expect(check("x", () => Promise.reject(new TypeError("bug")))).rejects.toThrow("bug");
  });
});

describe("isOk", () => {
  it("is false with one NG anywhere, and not with a SKIP", () => {
    expect(isOk([ok, skipped])).toBe(true);
    expect(isOk([ok, wrong])).toBe(false);
    expect(isOk([{ ...ok, children: [ok, { ...skipped, children: [wrong] }] }])).toBe(false);
  });
});

describe("formatChecks", () => {
  it("is a tree with the way out under each NG", () => {
    expect(
      formatChecks([
        { ...ok, children: [wrong] },
        { ...skipped, detail: "" },
      ]),
    ).toEqual(["  OK   a: found", "       NG   c: missing", "            → Make it.", "  SKIP b"]);
  });
});
