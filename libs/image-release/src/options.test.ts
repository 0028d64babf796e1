import { describe, expect, it } from "vitest";
import { parseCount, parseDurationMs, parsePercent } from "./options.ts";

const refused = (parse: (value: string) => unknown, values: readonly string[]) =>
  it.each(values)("refuses %j", (value) => expect(() => parse(value)).toThrow(/^E_USAGE.*got/));

describe("parseDurationMs", () => {
  it.each([
    ["0s", 0],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
  ])("reads %s", (value, ms) => expect(parseDurationMs(value)).toBe(ms));
  refused(parseDurationMs, ["", "5", "m", "5 m", "-5m", "5ms", "1.5h", "5m30s"]);
});

describe("parsePercent", () => {
  it.each([
    ["10%", 10],
    ["10", 10],
    ["0.5%", 0.5],
    ["99.99", 99.99],
  ])("reads %s", (value, percent) => expect(parsePercent(value)).toBe(percent));
  refused(parsePercent, ["", "0", "0%", "100", "100%", "-1", "ten", "1e1", "10 %", "%"]);
});

describe("parseCount", () => {
  it("reads a whole number", () => expect(parseCount("10")).toBe(10));
  refused(parseCount, ["", "0", "-1", "1.5", "1000", "all"]);
});
