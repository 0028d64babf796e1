import type { RetentionPlan } from "@workspace/handoff";
import { describe, expect, it } from "vitest";
import { sampleFunction as fn, sampleDigest } from "../testing/sample-function.ts";
import { describeRetention } from "./prune.ts";

const image = (digit: string, tags: readonly string[]) => ({
  digest: sampleDigest(digit),
  tags,
  artifactType: undefined,
});
const plan: RetentionPlan = {
  images: [
    { item: image("1", ["111111111111"]), reasons: ["published", "version 7"] },
    { item: image("2", []), reasons: [] },
  ],
  versions: [],
};

describe("describeRetention", () => {
  it("lists what stays and why, and what goes", () => {
    expect(describeRetention(fn, plan, false).lines).toEqual([
      "lambda-app-dev: removed 1 image and 0 versions",
      expect.stringMatching(/^ +WHAT +WHY$/),
      expect.stringMatching(/keeps\s+111111111111\s+published, version 7$/),
      expect.stringMatching(/removed\s+sha256:2{64}$/),
    ]);
  });

  it("promises only, in a dry run", () => {
    const { lines, value } = describeRetention(fn, plan, true);
    expect(lines[0]).toBe("lambda-app-dev: would remove 1 image and 0 versions");
    expect(value).toMatchObject({ dryRun: true });
  });
});
