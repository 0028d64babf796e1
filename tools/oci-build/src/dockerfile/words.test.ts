// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that form
import { describe, expect, it } from "vitest";
import { expandWord, splitQuotedWords } from "./words.ts";

const variables = (name: string) =>
  new Map([
    ["A", "one"],
    ["EMPTY", ""],
    ["WORDS", "x y"],
  ]).get(name);

describe("expandWord", () => {
  it.each([
    ["plain", "plain"],
    ["$A", "one"],
    ["$Ab", ""],
    ["${A}b", "oneb"],
    ["a$A/$A", "aone/one"],
    ["${NONE}", ""],
    ["${NONE:-z}", "z"],
    ["${EMPTY:-z}", "z"],
    ["${EMPTY-z}", ""],
    ["${A:-z}", "one"],
    ["${A:+set}", "set"],
    ["${NONE:+set}", ""],
    ["${EMPTY+set}", "set"],
    ["${NONE:-${A}}", "one"],
    ["${NONE:-'}'}", "}"],
    ["${A:?must}", "one"],
    ["$WORDS", "x y"],
    ["'$A'", "$A"],
    ['"$A b"', "one b"],
    ["\\$A", "$A"],
    ['"\\$A"', "$A"],
    ['"\\n"', "\\n"],
    ["a\\ b", "a b"],
    ["100$", "100$"],
    ["$(x)", "$(x)"],
    ["a'b'\"c\"d", "abcd"],
  ])("%s is %s", (word, expected) => {
    expect(expandWord(word, variables, "\\")).toBe(expected);
  });

  it("takes a backtick for the escape character where the Dockerfile says so", () => {
    expect(expandWord("C:\\dir`$A", variables, "`")).toBe("C:\\dir$A");
  });

  it.each(["${A", "'open", '"open', "${NONE:?must be given}", "${A%x}", "${A/x/y}"])("refuses %s", (word) => {
    expect(() => expandWord(word, variables, "\\")).toThrow(
      expect.objectContaining({ code: "E_DOCKERFILE_SUBSTITUTION", value: word }),
    );
  });
});

describe("splitQuotedWords", () => {
  it.each([
    ["a=1 b=2", ["a=1", "b=2"]],
    ['a=\'x y\'  b="z \\" w"', ["a='x y'", 'b="z \\" w"']],
    ["a=x\\ y", ["a=x\\ y"]],
    ["", []],
  ])("%j gives %j", (text, words) => {
    expect(splitQuotedWords(text, "\\")).toEqual(words);
  });
});
