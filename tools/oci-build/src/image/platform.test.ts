import { describe, expect, it } from "vitest";
import { formatPlatform, isPlatform, parsePlatform } from "./platform.ts";

describe("parsePlatform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["x64", "linux/amd64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["aarch64", "linux/arm64"],
    ["Linux/AMD64/v1", "linux/amd64"],
    ["linux/x86-64", "linux/amd64"],
    ["arm64", "linux/arm64"],
  ])("%s is %s", (value, expected) => {
    expect(formatPlatform(parsePlatform(value))).toBe(expected);
  });

  it.each([
    ...["windows/amd64", "linux/", "linux", "", "linux/amd64,linux/arm64", "linux/linux/amd64"],
    ...["foo", "linux/amd46", "linux/arm/v7", "linux/arm64/v9", "linux/amd64/v1/v1", "constructor"],
  ])("refuses %j", (value) => {
    expect(() => parsePlatform(value)).toThrow(
      expect.objectContaining({ code: "E_PLATFORM_UNSUPPORTED", value }),
    );
  });
});

describe("isPlatform", () => {
  const arm64 = parsePlatform("linux/arm64");

  it.each([
    [{ os: "linux", architecture: "arm64" }, true],
    [{ os: "linux", architecture: "arm64", variant: "v8" }, true],
    [{ os: "linux", architecture: "amd64" }, false],
    [{ os: "linux", architecture: "arm", variant: "v7" }, false],
    [{ os: "linux", architecture: "arm64", variant: "v9" }, false],
    [{ os: "windows", architecture: "arm64" }, false],
    [{ os: "unknown", architecture: "unknown" }, false],
    [{}, false],
  ])("%j: %s", (image, expected) => {
    expect(isPlatform(arm64, image)).toBe(expected);
  });
});
