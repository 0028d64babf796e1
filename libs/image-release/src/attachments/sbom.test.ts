import { describe, expect, it } from "vitest";
import { buildSbom, type SbomProps } from "./sbom.ts";

const digest = `sha256:${"c".repeat(64)}`;
const base = { name: "debian", digest, purl: `pkg:oci/debian@${encodeURIComponent(digest)}` };

const props: SbomProps = {
  name: "lambda-app",
  contentId: "0123456789abcdef".repeat(4),
  platform: "linux/arm64",
  base,
  bunVersion: "1.4.4",
  packages: [
    { name: "@scope/one", version: "1.0.0", license: "MIT" },
    { name: "two", version: "2.0.0", license: undefined },
  ],
};

describe("buildSbom", () => {
  it("is CycloneDX, with every part of the image", () => {
    const sbom = JSON.parse(buildSbom(props));
    expect(sbom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    const [bun, container, one, two] = sbom.components;
    expect(bun).toMatchObject({ name: "bun", version: "1.4.4" });
    expect(container).toMatchObject({ name: "debian", version: digest, purl: base.purl });
    expect(one).toMatchObject({ purl: "pkg:npm/%40scope/one@1.0.0", licenses: [{ expression: "MIT" }] });
    expect(two).not.toHaveProperty("licenses");
    expect(sbom.dependencies[0].dependsOn).toHaveLength(4);
  });

  it("names no base where the image stands on nothing", () => {
    const { components } = JSON.parse(buildSbom({ ...props, base: undefined }));
    expect(components.map(({ type }: { type: string }) => type)).toEqual(["platform", "library", "library"]);
  });

  it("is the same text for the same content, with a UUID of its own for another", () => {
    expect(buildSbom({ ...props })).toBe(buildSbom(props));
    const serial = (contentId: string) => JSON.parse(buildSbom({ ...props, contentId })).serialNumber;
    const uuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(serial(props.contentId)).toMatch(uuid);
    expect(serial("f".repeat(64))).toMatch(uuid);
    expect(serial("f".repeat(64))).not.toBe(serial(props.contentId));
  });
});
