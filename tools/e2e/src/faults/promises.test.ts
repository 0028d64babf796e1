import { describe, expect, it } from "vitest";
import type { Observed } from "./observe.ts";
import { describeEnd, findBrokenPromises, findUnkept } from "./promises.ts";

const [initial, one, two] = ["i".repeat(64), "1".repeat(64), "2".repeat(64)] as const;

const released: Observed = {
  publishedTag: "111111111111",
  live: { digest: one, memoryMiB: 512 },
  weighted: [],
  latestDigest: one,
  versionDigests: [initial, one],
  stackStatus: "CREATE_COMPLETE",
  templateTag: "initial",
  images: new Map([
    ["111111111111", one],
    ["initial", initial],
  ]),
};

describe("findBrokenPromises", () => {
  it("finds nothing where nothing is broken", () => {
    expect(findBrokenPromises(released, released)).toEqual([]);
  });

  it.each<[string, Partial<Observed>]>([
    ["P1", { publishedTag: undefined }],
    ["P1", { live: { digest: initial, memoryMiB: 512 } }],
    ["P1", { latestDigest: initial }],
    ["P2", { live: undefined }],
    ["P3", { publishedTag: "latest" }],
    ["P3", { publishedTag: "222222222222" }],
    ["P3", { versionDigests: [initial] }],
    ["P4", { live: { digest: two, memoryMiB: 512 } }],
    ["P4", { templateTag: "333333333333" }],
    ["P4", { images: new Map([["111111111111", one]]) }],
  ])("finds a broken %s in %j", (promise, change) => {
    expect(findBrokenPromises(released, { ...released, ...change }).join("\n")).toContain(promise);
  });
});

describe("findUnkept", () => {
  it("holds a finished command to P2", () => {
    expect(findUnkept(released)).toEqual([]);
    expect(findUnkept({ ...released, live: { digest: two, memoryMiB: 512 } }).join()).toContain("P2");
    expect(findUnkept({ ...released, weighted: ["3"] }).join()).toContain("version 3");
  });
});

describe("describeEnd", () => {
  it("leaves out how often the way there was tried, and nothing else", () => {
    expect(describeEnd({ ...released, versionDigests: [initial, one, one] })).toBe(describeEnd(released));
    expect(describeEnd({ ...released, latestDigest: two })).not.toBe(describeEnd(released));
    expect(describeEnd({ ...released, images: new Map() })).not.toBe(describeEnd(released));
  });
});
