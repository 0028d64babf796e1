import { initialTag, parseFunction, stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import type { StoredImage } from "../images/images.ts";
import type { FunctionVersion } from "../live/function-state.ts";
import { findDrift, type HandoffState, listReleases } from "./hand-off-state.ts";

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const image = (letter: string, tag: string): StoredImage => ({
  digest: digestOf(letter),
  tags: [tag],
  artifactType: undefined,
});
const version = (name: string, letter: string, memoryMiB = 512): FunctionVersion => ({
  version: name,
  digest: digestOf(letter),
  revisionId: "",
  state: "Active",
  stateReason: undefined,
  lastUpdateStatus: "Successful",
  lastUpdateStatusReason: undefined,
  settings: { MemorySize: memoryMiB },
});
const live = (letter: string, weights = {}) => ({
  alias: { name: "live", version: "2", weights, revisionId: "" },
  version: version("2", letter),
  tags: [`${letter.repeat(12)}`],
});

const released: HandoffState = {
  publishedTag: "a".repeat(12),
  publishedDigest: digestOf("a"),
  // Older than the last release: releases leave the template alone.
  templateImage: initialTag,
  stackStatus: "UPDATE_COMPLETE",
  live: live("a"),
  latest: version("$LATEST", "a"),
  images: [image("a", "a".repeat(12)), image("b", "b".repeat(12)), image("0", initialTag)],
  leaseHolder: undefined,
};

describe("findDrift", () => {
  it("finds none where a deploy would move no code", () => {
    expect(findDrift(released)).toEqual([]);
  });

  it("finds none before the first release, nor before the first deploy", () => {
    const before = { ...released, publishedTag: undefined, publishedDigest: undefined };
    expect(findDrift({ ...before, live: live("0"), latest: version("$LATEST", "0") })).toEqual([]);
    expect(findDrift({ ...before, live: undefined, latest: undefined, images: [] })).toEqual([]);
  });

  it.each<[string, Partial<HandoffState>]>([
    ["aaaaaaaaaaaa is published, but bbbbbbbbbbbb is live", { live: live("b") }],
    ["aaaaaaaaaaaa is published, but $LATEST has sha256:bbbbbbbbbbbb", { latest: version("$LATEST", "b") }],
    [
      "nothing is published (initial), but aaaaaaaaaaaa is live",
      { publishedTag: undefined, publishedDigest: undefined },
    ],
    ["aaaaaaaaaaaa is published, but its image does not exist", { publishedDigest: undefined }],
    ['the published tag is malformed: "latest"', { publishedTag: "latest" }],
    ["a configuration is deployed that is not live", { latest: version("$LATEST", "a", 768) }],
    ["10% of the traffic goes to version 3: a canary was not finished", { live: live("a", { "3": 0.1 }) }],
  ])("finds: %s", (sentence, changed) => {
    expect(findDrift({ ...released, ...changed })).toContain(sentence);
  });
});

describe("listReleases", () => {
  it("calls nothing live where neither the image nor a live version is there", async () => {
    const notFound = Object.assign(new Error("no"), { name: "ResourceNotFoundException" });
    const clients = {
      ssm: { send: async () => ({ Parameters: [{ Version: 1, Value: "a".repeat(12) }] }) },
      ecr: { send: async () => ({ imageDetails: [] }) },
      lambda: { send: () => Promise.reject(notFound) },
    } as unknown as HandoffClients;
    const releases = await listReleases(clients, parseFunction("lambda-app", stages.dev, "x86_64"));
    expect(releases).toMatchObject([
      { tag: "a".repeat(12), digest: undefined, isPublished: true, isLive: false },
    ]);
  });
});
