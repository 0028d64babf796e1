import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBaseImage } from "./base-image.ts";

const hex = "c".repeat(64);
const digest = `sha256:${hex}`;

describe("findBaseImage", () => {
  it("reads where glibc is from out of the Dockerfile of every release", () => {
    const dockerfile = readFileSync(join(import.meta.dirname, "../../../../docker/app/Dockerfile"), "utf8");
    const [, pinned] = /GLIBC_IMAGE=.*@sha256:(\w+)/.exec(dockerfile) ?? [];
    expect(findBaseImage("glibc", dockerfile)).toEqual({
      name: "debian",
      digest: `sha256:${pinned}`,
      purl: `pkg:oci/debian@sha256%3A${pinned}?repository_url=public.ecr.aws/docker/library/debian&tag=bookworm-slim`,
    });
  });

  it.each([
    ["example.com/team/base", "?repository_url=example.com/team/base"],
    ["localhost:5000/base:1.2", "?repository_url=localhost%3A5000/base&tag=1.2"],
    ["base:1.2", "?tag=1.2"],
    ["team/base", ""],
  ])("names %s by its digest", (repository, query) => {
    expect(findBaseImage(`${repository}@${digest}`, "")).toEqual({
      name: "base",
      digest,
      purl: `pkg:oci/base@sha256%3A${hex}${query}`,
    });
  });

  it("claims nothing for scratch", () => expect(findBaseImage("scratch", "")).toBeUndefined());

  it.each(["example.com/base", "example.com/base:1.2", "latest", ""])(
    "refuses the base image %j",
    (baseImage) => {
      expect(() => findBaseImage(baseImage, "")).toThrow("E_BASE_IMAGE_UNPINNED");
    },
  );

  it.each(["", "ARG GLIBC_IMAGE=debian:bookworm-slim", "ARG GLIBC_IMAGE"])(
    "refuses a glibc of which the Dockerfile says %j",
    (dockerfile) => {
      expect(() => findBaseImage("glibc", dockerfile)).toThrow("E_BASE_IMAGE_UNPINNED");
    },
  );
});
