import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CommandContext } from "../command-context.ts";
import type { ReleaseSubject } from "../image/release-subject.ts";
import { createRegistryClient } from "../registry/registry-client.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";
import { attachMissing } from "./attach.ts";
import { buildProvenance, provenanceType } from "./provenance.ts";
import { buildSbom, sbomType } from "./sbom.ts";

/**
 * Attaches what is in the image and where it came from, where it does not have that yet.
 * @param reference the image's digest or one of its tags
 */
export async function attachStatements(
  { clients, fn, workspaceRoot, baseImage, containerCli, onProgress, signal }: CommandContext,
  { tag, commit, contentId, base, context: { platform, packages } }: ReleaseSubject,
  reference: string,
): Promise<void> {
  const { repositoryName, project } = fn;
  const registry = createRegistryClient(await readRegistryLogin(clients), repositoryName, signal);
  const digest = await registry.resolve(reference);
  const about = { contentId, platform, base };
  const attached = await attachMissing(registry, digest, [
    {
      artifactType: sbomType,
      build: async () => {
        const bun = join(workspaceRoot, "node_modules/bun/package.json");
        const { version } = JSON.parse(await readFile(bun, "utf8"));
        return buildSbom({ ...about, name: project, bunVersion: version, packages });
      },
    },
    {
      artifactType: provenanceType,
      build: async () =>
        buildProvenance({
          ...about,
          baseImage,
          repositoryName,
          project,
          digest,
          tag,
          commit,
          containerCli: basename(containerCli),
        }),
    },
  ]);
  if (attached.length > 0)
    onProgress({ kind: "step", text: "SBOM and provenance are attached to the image" });
}
