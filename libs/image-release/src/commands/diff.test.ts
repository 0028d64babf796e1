import { parseImageTag } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { sampleFunction as fn } from "../testing/sample-function.ts";
import { type Differences, describeDifferences } from "./diff.ts";

const differences: Differences = {
  liveTag: parseImageTag("111111111111"),
  checkoutTag: parseImageTag("222222222222"),
  isContentLive: false,
  commits: ["2222222 feat: greet"],
  settings: [{ name: "MemorySize", before: "512", after: "768" }],
};

describe("describeDifferences", () => {
  it("names commits and settings", () => {
    expect(describeDifferences(fn, differences).lines).toEqual([
      "lambda-app-dev (lambda-app on dev)",
      "  code           111111111111 is live, 222222222222 is other content",
      "    + 2222222 feat: greet",
      "  configuration  deployed, and not live yet:",
      "    MemorySize: 512 -> 768",
      "  `nx run infra:diff --stage dev` compares what infra would deploy",
    ]);
  });

  it("says that nothing differs", () => {
    const { lines } = describeDifferences(fn, {
      ...differences,
      isContentLive: true,
      commits: [],
      settings: [],
    });
    expect(lines).toContain("  code           222222222222 has the content that is live");
    expect(lines).toContain("  configuration  what is deployed is live");
  });

  it("says where Git doesn't know what is live, and where nothing was released", () => {
    const unknown = describeDifferences(fn, { ...differences, commits: undefined }).lines.join("\n");
    expect(unknown).toContain("Git doesn't know 111111111111");
    const never = describeDifferences(fn, { ...differences, liveTag: undefined, commits: undefined });
    expect(never.lines.join("\n")).toContain("no release is live");
    expect(never.lines.join("\n")).not.toContain("Git doesn't know");
  });
});
