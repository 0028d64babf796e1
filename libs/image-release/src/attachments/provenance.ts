import type { BaseImage } from "../image/base-image.ts";

/** An in-toto statement. @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const provenanceType = "application/vnd.in-toto+json";

export interface ProvenanceProps {
  readonly repositoryName: string;
  /** Of the image: `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly project: string;
  /** The tag of the commit, which says where the tree had changes of its own. */
  readonly tag: string;
  /** The whole commit. */
  readonly commit: string;
  readonly contentId: string;
  readonly platform: string;
  /** What was asked for: `glibc`, `scratch` or a reference. */
  readonly baseImage: string;
  /** What that is. `undefined` for `scratch`, which is nothing. */
  readonly base: BaseImage | undefined;
  /** What built the image: `oci-build`. */
  readonly containerCli: string;
}

/** From what and by what the image was built. @see https://slsa.dev/spec/v1.0/provenance */
export function buildProvenance(props: ProvenanceProps): string {
  const { repositoryName, digest, project, tag, commit, contentId, platform, baseImage, base, containerCli } =
    props;
  const hex = (value: string) => value.replace("sha256:", "");
  return JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: repositoryName, digest: { sha256: hex(digest) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "urn:image-release:container-image:v1",
        externalParameters: { function: project, tag, platform, baseImage },
        internalParameters: { contentId },
        resolvedDependencies: [
          { name: "source", digest: { gitCommit: commit } },
          ...(base === undefined
            ? []
            : [{ name: "base", uri: base.purl, digest: { sha256: hex(base.digest) } }]),
        ],
      },
      runDetails: { builder: { id: `urn:container-cli:${containerCli}` } },
    },
  });
}
