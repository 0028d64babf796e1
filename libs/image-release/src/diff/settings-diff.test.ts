import { describe, expect, it } from "vitest";
import { diffSettings } from "./settings-diff.ts";

const settings = {
  MemorySize: 512,
  Architectures: ["x86_64"],
  LoggingConfig: { LogFormat: "Text" },
  Environment: { Variables: { TOKEN: "s3cret", SAME: "1" } },
};

describe("diffSettings", () => {
  it("finds nothing in equal settings, in whatever order", () => {
    const reordered = Object.fromEntries(Object.entries(structuredClone(settings)).reverse());
    expect(diffSettings(settings, reordered)).toEqual([]);
  });

  it("names each setting that differs, and never shows an environment variable's value", () => {
    const after = {
      MemorySize: 768,
      Architectures: ["arm64"],
      Timeout: 3,
      LoggingConfig: {},
      Environment: { Variables: { TOKEN: "other", SAME: "1", NEW: "2" } },
    };
    const changes = diffSettings(settings, after);
    expect(changes).toEqual([
      { name: "Architectures", before: '["x86_64"]', after: '["arm64"]' },
      { name: "Environment.Variables.NEW", before: undefined, after: "(hidden)" },
      { name: "Environment.Variables.TOKEN", before: "(hidden)", after: "(hidden)" },
      { name: "LoggingConfig.LogFormat", before: '"Text"', after: undefined },
      { name: "MemorySize", before: "512", after: "768" },
      { name: "Timeout", before: undefined, after: "3" },
    ]);
    expect(JSON.stringify(changes)).not.toContain("s3cret");
  });
});
