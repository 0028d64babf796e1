import { describe, expect, it } from "vitest";
import { parseCount } from "./parse-amount.ts";

describe("parseCount", () => {
  it("takes a whole number from 1", () => {
    expect(parseCount("--sequences", "2500")).toBe(2500);
  });

  it.each(["0", "-1", "1.5", "abc", "", " ", "Infinity"])("refuses %j and shows it", (text) => {
    expect(() => parseCount("--sequences", text)).toThrow("E_USAGE");
    expect(() => parseCount("--sequences", text)).toThrow(JSON.stringify(text));
  });
});
