import { parseImageTag } from "@workspace/shared-config";
import { expect, it } from "vitest";
import type { Publisher } from "./published-tag.ts";
import { chooseRollbackTarget } from "./rollback-target.ts";

const tagOf = (letter: string) => parseImageTag(letter.repeat(12));

/** `a` is a release of the tag aaaaaaaaaaaa, `<a` a rollback to it, `^a` a promotion of it. */
function parseHistory(text: string) {
  return text.split(" ").map((entry, index) => {
    const publisher: Publisher = entry.startsWith("<")
      ? "rollback"
      : entry.startsWith("^")
        ? "promote"
        : "release";
    return { version: index + 1, tag: tagOf(entry.slice(-1)), publisher, at: undefined };
  });
}

const digests = new Map([
  [tagOf("a"), "digest a"],
  [tagOf("b"), "digest b"],
  [tagOf("c"), "digest c"],
  [tagOf("d"), "digest c"],
]);

it.each([
  ["a b", "a"],
  ["a b c", "b"],
  // Run again, it stays where it went.
  ["a b <a", "a"],
  ["a b c <b", "b"],
  // It goes on from the last release, not from where a rollback went.
  ["a b <a c", "a"],
  ["a b c <a", "b"],
  ["^a ^b", "a"],
  // A repeated attempt is no release of its own, and the same content under another tag no way back.
  ["a b b", "a"],
  ["b c d", "b"],
  // Its image is gone.
  ["a e b", "a"],
])("%s goes back to %s", (history, target) => {
  expect(chooseRollbackTarget(parseHistory(history), digests)).toBe(tagOf(target));
});

it.each(["a", "a a", "c d", "<a", "e a"])("%s has nothing to go back to", (history) => {
  expect(chooseRollbackTarget(parseHistory(history), digests)).toBeUndefined();
});

it("nothing published has nothing to go back to", () => {
  expect(chooseRollbackTarget([], digests)).toBeUndefined();
});
