import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CommandContext } from "../command-context.ts";
import type { ReleaseSubject } from "../image/release-subject.ts";
import { createRegistryClient } from "../registry/registry-client.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";
import { attachMissing } from "./attach.ts";
import { findBundledPackages } from "./bundled-packages.ts";
import { buildProvenance, provenanceType } from "./provenance.ts";
import { buildSbom, sbomType } from "./sbom.ts";

/**
 * Attaches what is in the image and where it came from, where it does not have that yet.
 * @param reference the image's digest or one of its tags
 */
export async function attachStatements(
  { clients, fn, workspaceRoot, baseImage, containerCli, onProgress, signal }: CommandContext,
  { tag, commit, contentId, context: { platform } }: ReleaseSubject,
  reference: string,
): Promise<void> {
  const { repositoryName, project } = fn;
  const registry = createRegistryClient(await readRegistryLogin(clients), repositoryName, signal);
  const digest = await registry.resolve(reference);
  const about = { contentId, platform, baseImage };
  const attached = await attachMissing(registry, digest, [
    {
      artifactType: sbomType,
      build: async () => {
        const modules = join(workspaceRoot, "node_modules");
        const { version } = JSON.parse(await readFile(join(modules, "bun/package.json"), "utf8"));
        const entry = join(workspaceRoot, "apps", project, "src/handler.ts");
        const packages = await findBundledPackages(join(modules, ".bin/bun"), entry);
        return buildSbom({ ...about, name: project, bunVersion: version, packages });
      },
    },
    {
      artifactType: provenanceType,
      build: async () =>
        buildProvenance({
          ...about,
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
