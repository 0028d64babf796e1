import { describe, expect, it } from "vitest";
import { chooseBase, type History } from "./base.ts";
import { emptyTree } from "./decide.ts";

/** a - b - c on one line; x beside it. */
const line = ["a", "b", "c"];
const history: History = {
  has: async (commit) => [...line, "x"].includes(commit),
  isAncestor: async (ancestor, commit) =>
    ancestor === commit ||
    (line.includes(ancestor) && line.includes(commit) && line.indexOf(ancestor) < line.indexOf(commit)),
};

describe("chooseBase", () => {
  it.each([
    { case: "the first run ever", lastSuccess: undefined, base: emptyTree, why: "No run" },
    { case: "a push after a success", lastSuccess: "a", base: "a", why: "since" },
    { case: "a re-run of the successful commit", lastSuccess: "b", base: "b", why: "since" },
    { case: "a re-run that a newer one overtook", lastSuccess: "c", base: "b", why: "Overtaken" },
    { case: "a commit that was forced away", lastSuccess: "gone", base: emptyTree, why: "gone from" },
    { case: "a rewritten history", lastSuccess: "x", base: emptyTree, why: "rewritten" },
    { case: "asked for", everything: true, lastSuccess: "b", base: emptyTree, why: "Asked for" },
    { case: "asked for, but overtaken", everything: true, lastSuccess: "c", base: "b", why: "Overtaken" },
  ])("$case", async ({ lastSuccess, everything = false, base, why }) => {
    const chosen = await chooseBase({ head: "b", lastSuccess, everything }, history);
    expect(chosen.base).toBe(base);
    expect(chosen.why).toContain(why);
  });
});
