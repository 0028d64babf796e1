import { initialTag, parseImageTag } from "@workspace/shared-config";
import { expect, it } from "vitest";
import type { StoredImage } from "../images/images.ts";
import type { FunctionAlias, FunctionVersion } from "../live/function-state.ts";
import { planRetention, type RetentionFacts } from "./keep-set.ts";

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}` as const;
const tagOf = (letter: string) => parseImageTag(letter.repeat(12));

function image(letter: string, tags: readonly string[] = [tagOf(letter)]): StoredImage {
  return { digest: digestOf(letter), tags, artifactType: undefined };
}

function version(name: string, letter: string): FunctionVersion {
  return {
    version: name,
    digest: digestOf(letter),
    revisionId: "",
    state: "Active",
    stateReason: undefined,
    lastUpdateStatus: "Successful",
    lastUpdateStatusReason: undefined,
    settings: {},
  };
}

const published = (letter: string, index: number) => ({
  version: index + 1,
  tag: tagOf(letter),
  publisher: "release" as const,
  at: undefined,
});

/** Released in turn: a, b, c, d; 1 to 5 are their versions, 1 the placeholder's. */
const facts: RetentionFacts = {
  images: [
    image("0", [initialTag]),
    image("a"),
    image("b"),
    image("c"),
    image("d"),
    image("e"),
    image("f", []),
  ],
  latest: version("$LATEST", "d"),
  versions: [version("1", "0"), version("2", "a"), version("3", "b"), version("4", "c"), version("5", "d")],
  aliases: [{ name: "live", version: "5", weights: {}, revisionId: "" }],
  publishedTag: tagOf("d"),
  history: ["a", "b", "c", "d"].map(published),
  templateImages: [tagOf("b")],
};

function listKept(changed: Partial<RetentionFacts>, keepReleases = 1) {
  const plan = planRetention({ ...facts, ...changed }, keepReleases);
  return {
    images: plan.images.flatMap(({ item, reasons }) => (reasons.length > 0 ? [item.digest[7]] : [])).join(""),
    versions: plan.versions
      .flatMap(({ item, reasons }) => (reasons.length > 0 ? [item.version] : []))
      .join(""),
  };
}

it("keeps what is live, published, in the template and initial, and CloudFormation's version", () => {
  expect(listKept({})).toEqual({ images: "0bd", versions: "15" });
});

it("says why each stays", () => {
  const { images, versions } = planRetention(facts, 2);
  expect(images.map(({ reasons }) => reasons.join(", "))).toEqual([
    "version 1, initial",
    "",
    "template",
    "release cccccccccccc",
    "version 5, $LATEST, published, release dddddddddddd",
    "",
    "",
  ]);
  expect(versions.map(({ reasons }) => reasons.join(", "))).toEqual([
    "CloudFormation's version",
    "",
    "",
    "",
    "alias live",
  ]);
});

it("keeps the last releases, each image once, whatever was published without one", () => {
  expect(listKept({}, 3).images).toBe("0bcd");
  const again = ["7", "8", "9"];
  const images = [
    ...facts.images.filter(({ digest }) => digest !== digestOf("d")),
    image("d", ["d", ...again].map(tagOf)),
  ];
  const history = ["a", "b", "c", "d", ...again].map(published);
  expect(listKept({ images, history, publishedTag: tagOf("9") }, 3).images).toBe("0bcd");
  expect(listKept({ history: ["a", "b", "c", "1", "2", "d"].map(published) }, 3).images).toBe("0bcd");
  expect(listKept({ history: ["a", "c", "d", "c", "d"].map(published) }, 3).images).toBe("0abcd");
});

it("keeps the versions of every alias, and what a canary gives a part of the traffic to", () => {
  const aliases: FunctionAlias[] = [
    { name: "live", version: "5", weights: { "4": 0.1 }, revisionId: "" },
    { name: "pinned", version: "2", weights: {}, revisionId: "" },
  ];
  expect(listKept({ aliases })).toEqual({ images: "0abcd", versions: "1245" });
});

it("keeps what the template names by digest, and what only $LATEST has", () => {
  expect(listKept({ templateImages: [digestOf("e")], latest: version("$LATEST", "a") }).images).toBe("0ade");
});

it("leaves out what is attached to images", () => {
  const attached = { ...image("9", []), artifactType: "application/vnd.cyclonedx+json" };
  expect(planRetention({ ...facts, images: [attached] }, 1).images).toEqual([]);
});
