import { describe, expect, it } from "vitest";
import { isImmutable, isRepositoryName, type Repository } from "./repository.ts";

describe("isImmutable", () => {
  const repository = (imageTagMutability: Repository["imageTagMutability"]): Repository => ({
    repositoryName: "app",
    imageTagMutability,
    imageTagMutabilityExclusionFilters: [
      { filter: "initial", filterType: "WILDCARD" },
      { filter: "content-*", filterType: "WILDCARD" },
      { filter: "a.b", filterType: "WILDCARD" },
    ],
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: "AES256" },
    createdAt: 0,
    tags: {},
  });

  it.each([
    ["MUTABLE", "initial", false],
    ["IMMUTABLE", "initial", true],
    ["IMMUTABLE_WITH_EXCLUSION", "initial", false],
    ["IMMUTABLE_WITH_EXCLUSION", "content-abc", false],
    ["IMMUTABLE_WITH_EXCLUSION", "my-content-abc", true],
    ["IMMUTABLE_WITH_EXCLUSION", "axb", true],
    ["IMMUTABLE_WITH_EXCLUSION", "0a1b2c3d4e5f", true],
    ["MUTABLE_WITH_EXCLUSION", "initial", true],
    ["MUTABLE_WITH_EXCLUSION", "other", false],
  ] as const)("%s, tag %s: %s", (mutability, tag, expected) => {
    expect(isImmutable(repository(mutability), tag)).toBe(expected);
  });
});

it.each([
  ["app", true],
  ["team/app_1.x", true],
  ["a", false],
  ["App", false],
  ["../up", false],
  ["app/", false],
  [undefined, false],
])("%j as the name of a repository: %s", (name, expected) => {
  expect(isRepositoryName(name)).toBe(expected);
});
