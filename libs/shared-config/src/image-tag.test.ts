import { describe, expect, it } from "vitest";
import {
  buildContentTag,
  buildImageTag,
  initialTag,
  isImageTag,
  parseImageTag,
  splitImageTag,
} from "./image-tag.ts";

const commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
const contentId = "f".repeat(32) + "0".repeat(32);

describe("parseImageTag", () => {
  it.each(["0a1b2c3d4e5f", "0a1b2c3d4e5f-dirty-ffffffffffff"])("takes %s", (value) => {
    expect(parseImageTag(value)).toBe(value);
  });

  it.each([
    initialTag,
    "",
    "latest",
    "0a1b2c3d4e5",
    "0a1b2c3d4e5f6",
    "0A1B2C3D4E5F",
    "0a1b2c3d4e5f-dirty",
    "0a1b2c3d4e5f-dirty-",
    " 0a1b2c3d4e5f",
    "0a1b2c3d4e5f\n",
    `content-${"f".repeat(32)}`,
  ])("refuses %j and shows it", (value) => {
    expect(isImageTag(value)).toBe(false);
    expect(() => parseImageTag(value)).toThrow(
      expect.objectContaining({ code: "E_IMAGE_TAG_MALFORMED", value }),
    );
    expect(() => parseImageTag(value)).toThrow(JSON.stringify(value));
  });
});

describe("buildImageTag", () => {
  it("is the first 12 digits of the commit", () => {
    expect(buildImageTag({ commit, dirty: false, contentId })).toBe("0a1b2c3d4e5f");
  });

  it("says that the tree was dirty, and which content it had", () => {
    expect(buildImageTag({ commit, dirty: true, contentId })).toBe("0a1b2c3d4e5f-dirty-ffffffffffff");
  });

  it("refuses a commit that is too short to identify anything", () => {
    expect(() => buildImageTag({ commit: "0a1b2c3", dirty: false, contentId })).toThrow(
      "E_IMAGE_TAG_MALFORMED",
    );
  });
});

it("buildContentTag can't be mistaken for the tag of a release", () => {
  expect(buildContentTag(contentId)).toBe(`content-${"f".repeat(32)}`);
  expect(isImageTag(buildContentTag(contentId))).toBe(false);
});

it.each([true, false])("splitImageTag gives what a tag was made of (dirty: %j)", (dirty) => {
  expect(splitImageTag(buildImageTag({ commit, dirty, contentId }))).toEqual({
    commit: "0a1b2c3d4e5f",
    dirty,
  });
});
