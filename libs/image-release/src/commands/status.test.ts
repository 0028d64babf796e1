import type { FunctionVersion, HandoffState } from "@workspace/handoff";
import { CodedError, exitCodes, parseImageTag } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { sampleFunction as fn, sampleDigest } from "../testing/sample-function.ts";
import { describeStatus } from "./status.ts";

const first = parseImageTag("111111111111");
const second = parseImageTag("222222222222");

function buildVersion(version: string, digest: FunctionVersion["digest"]): FunctionVersion {
  return {
    version,
    digest,
    revisionId: "r",
    state: "Active",
    stateReason: undefined,
    lastUpdateStatus: "Successful",
    lastUpdateStatusReason: undefined,
    settings: { MemorySize: 512 },
  };
}

const agreed: HandoffState = {
  publishedTag: first,
  publishedDigest: sampleDigest("1"),
  templateImage: "initial",
  stackStatus: "UPDATE_COMPLETE",
  live: {
    alias: { name: "live", version: "7", weights: {}, revisionId: "r" },
    version: buildVersion("7", sampleDigest("1")),
    tags: ["content-aa", "000000000000", first],
  },
  latest: buildVersion("$LATEST", sampleDigest("1")),
  images: [
    { digest: sampleDigest("1"), tags: [first], artifactType: undefined },
    {
      digest: sampleDigest("2"),
      tags: [second],
      artifactType: undefined,
    },
  ],
  leaseHolder: undefined,
};
const published = { kind: "published", tag: first, digest: sampleDigest("1") } as const;

describe("describeStatus", () => {
  it("is done where all agree, whatever the template has", () => {
    const { lines, exitCode } = describeStatus(fn, agreed, published);
    expect(exitCode).toBe(exitCodes.done);
    expect(lines).toEqual([
      "lambda-app-dev (lambda-app on dev)",
      `  published  111111111111  ${sampleDigest("1")}`,
      "  template   initial  UPDATE_COMPLETE",
      `  live       111111111111  ${sampleDigest("1")}  version 7`,
      "  a deploy   would keep 111111111111",
      "  lease      free",
    ]);
  });

  it("names both ways out of a drift", () => {
    const state = { ...agreed, publishedTag: second, publishedDigest: sampleDigest("2") };
    const resolution = { kind: "published", tag: second, digest: sampleDigest("2") } as const;
    const { lines, exitCode } = describeStatus(fn, state, resolution);
    expect(exitCode).toBe(exitCodes.drift);
    expect(lines.join("\n")).toContain("drift: 222222222222 is published, but 000000000000 is live");
    expect(lines.slice(-2)).toEqual([
      "  → `nx run lambda-app:rollback --stage dev --to 222222222222` makes live what is published",
      "  → `nx run lambda-app:rollback --stage dev --to 000000000000` publishes what is live",
    ]);
  });

  it("says what would stop a deploy, with its own way out", () => {
    const vanished = new CodedError({ code: "E_TAG_VANISHED", what: "gone", remedy: "Publish it again." });
    const { lines, exitCode, value } = describeStatus(fn, { ...agreed, publishedTag: undefined }, vanished);
    expect(exitCode).toBe(exitCodes.drift);
    expect(lines).toContain("drift: a deploy would stop: E_TAG_VANISHED: gone. Publish it again.");
    expect(lines.filter((line) => line.includes("→"))).toEqual([]);
    expect(value).toMatchObject({ deploy: { kind: "stopped", code: "E_TAG_VANISHED" } });
  });

  it("shows the parts of the traffic that a canary has, and who holds the lease", () => {
    const holder = {
      command: "release 222222222222",
      user: "ada",
      host: "ci",
      since: "2026-01-01T00:00:00Z",
    };
    const state = {
      ...agreed,
      live: agreed.live && { ...agreed.live, alias: { ...agreed.live.alias, weights: { "8": 0.1 } } },
      leaseHolder: { ...holder, nonce: "n", pid: 1, instance: "", ttlMs: 1 },
    };
    const text = describeStatus(fn, state, published).lines.join("\n");
    expect(text).toContain("version 7, 10% to version 8");
    expect(text).toContain("lease      release 222222222222 by ada@ci since 2026-01-01T00:00:00Z");
  });
});
