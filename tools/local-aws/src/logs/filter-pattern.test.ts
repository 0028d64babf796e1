import { describe, expect, it } from "vitest";
import { parseFilterPattern } from "./filter-pattern.ts";

describe("parseFilterPattern", () => {
  it.each([
    ["", "anything", true],
    ["ERROR", "an ERROR here", true],
    ["ERROR", "an error here", false],
    ["ERROR here", "here is an ERROR", true],
    ["ERROR there", "here is an ERROR", false],
    ['"is an"', "here is an ERROR", true],
    ['"an is"', "here is an ERROR", false],
    ["ERROR -here", "here is an ERROR", false],
    ["?WARN ?ERROR", "here is an ERROR", true],
    ["?WARN ?INFO", "here is an ERROR", false],
  ])("%j on %j: %s", (pattern, message, expected) => {
    expect(parseFilterPattern(pattern)(message)).toBe(expected);
  });

  it.each(['{ $.level = "ERROR" }', "[ip, user]", "%a.*b%"])("refuses %j", (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow(pattern);
  });
});
