import type { NpmPackage } from "@workspace/docker";
import type { BaseImage } from "../image/base-image.ts";

/** CycloneDX in JSON. @see https://cyclonedx.org/docs/1.6/json/ */
export const sbomType = "application/vnd.cyclonedx+json";

export interface SbomProps {
  /** `lambda-app` */
  readonly name: string;
  /** Of the image's content: 64 hex digits. */
  readonly contentId: string;
  readonly platform: string;
  /** `undefined` where the image stands on nothing. */
  readonly base: BaseImage | undefined;
  /** `1.4.4` */
  readonly bunVersion: string;
  /** What the bundler put into the app. */
  readonly packages: readonly NpmPackage[];
}

/** What is in the image. The same content gives the same text, so it has no time in it. */
export function buildSbom({ name, contentId, platform, base, bunVersion, packages }: SbomProps): string {
  const app = `app:${name}`;
  const parts = [
    {
      type: "platform",
      "bom-ref": "bun",
      name: "bun",
      version: bunVersion,
      purl: `pkg:github/oven-sh/bun@bun-v${bunVersion}`,
    },
    ...(base === undefined ? [] : [describeBase(base)]),
    ...packages.map(describePackage),
  ];
  return JSON.stringify({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${buildUuid(contentId)}`,
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": app, name, version: contentId.slice(0, 12) },
      properties: [{ name: "image:platform", value: platform }],
    },
    components: parts,
    dependencies: [{ ref: app, dependsOn: parts.map((part) => part["bom-ref"]) }],
  });
}

function describeBase({ name, digest, purl }: BaseImage) {
  return { type: "container", "bom-ref": "base", name, version: digest, purl };
}

function describePackage({ name, version, license }: NpmPackage) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license !== undefined && { licenses: [{ expression: license }] }),
  };
}

/** Version 8: the bits are our own. @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8 */
function buildUuid(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
