import { expect, it } from "vitest";
import { buildProvenance, type ProvenanceProps } from "./provenance.ts";

const hex = "c".repeat(64);
const base = { name: "debian", digest: `sha256:${hex}`, purl: `pkg:oci/debian@sha256%3A${hex}` };
const commit = "0a1b".repeat(10);
const props: ProvenanceProps = {
  repositoryName: "lambda-app-dev",
  digest: `sha256:${"d".repeat(64)}`,
  project: "lambda-app",
  tag: commit.slice(0, 12),
  commit,
  contentId: "e".repeat(64),
  platform: "linux/arm64",
  baseImage: "glibc",
  base,
  containerCli: "oci-build",
};

const source = { name: "source", digest: { gitCommit: commit } };

it.each([
  [base, [source, { name: "base", uri: base.purl, digest: { sha256: hex } }]],
  [undefined, [source]],
])("names the commit and the base %j that the image is from", (used, dependencies) => {
  const { predicate } = JSON.parse(buildProvenance({ ...props, base: used }));
  expect(predicate.buildDefinition.resolvedDependencies).toEqual(dependencies);
});
