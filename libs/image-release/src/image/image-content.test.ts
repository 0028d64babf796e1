import { describe, expect, it } from "vitest";
import { identifyImageContent } from "./image-content.ts";

const props = { contextId: "a".repeat(64), platform: "linux/amd64", baseImage: "glibc" };

describe("identifyImageContent", () => {
  it("gives the same identity for the same content, and a tag made from it", () => {
    const content = identifyImageContent(props);
    expect(identifyImageContent({ ...props })).toEqual(content);
    expect(content.contentId).toMatch(/^[0-9a-f]{64}$/);
    expect(content.contentTag).toBe(`content-${content.contentId.slice(0, 32)}`);
  });

  it.each([
    { contextId: "b".repeat(64) },
    { platform: "linux/arm64" },
    { baseImage: "scratch" },
    { baseImage: `example.com/base@sha256:${"c".repeat(64)}` },
  ])("gives another identity with %j", (change) => {
    expect(identifyImageContent({ ...props, ...change })).not.toEqual(identifyImageContent(props));
  });
});
