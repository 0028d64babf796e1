import { describe, expect, it, onTestFinished } from "vitest";
import { runCli } from "../run-cli.ts";
import { makeScratchFolder } from "../scratch-folder.ts";
import { startTestRegistry } from "./test-registry.ts";

const artifactType = "application/vnd.cyclonedx+json";
const provenanceType = "application/vnd.in-toto+json";

async function pushImage(referrers: boolean) {
  const registry = await startTestRegistry({ referrers });
  onTestFinished(() => registry.close());
  const folder = makeScratchFolder({
    Dockerfile: "FROM scratch\nCOPY sbom.json /\n",
    "sbom.json": '{"bomFormat":"CycloneDX"}',
    "provenance.json": '{"_type":"https://in-toto.io/Statement/v1"}',
  });
  const store = makeScratchFolder();
  const name = `${registry.host}/team/app:1`;
  const cli = (...argv: string[]) => runCli(argv, { store, cwd: folder });
  const digest = (await cli("build", "-q", "-t", name, ".")).stdout.trim();
  expect(await cli("push", name)).toMatchObject({ code: 0 });
  return { registry, cli, name, digest };
}

describe.each([
  ["has the referrers API", true],
  ["lacks it", false],
])("in a registry that %s", (_, referrers) => {
  it("documents are attached, listed, and attached only once; the image stays as it is", async () => {
    const { registry, cli, name, digest } = await pushImage(referrers);
    expect(await cli("referrers", "--json", name)).toMatchObject({ code: 0, stdout: "[]\n" });

    const attach = ["attach", "--artifact-type", artifactType, "--file", "sbom.json", name];
    const sbom = await cli(...attach);
    expect(sbom).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) });
    const provenance = await cli(
      "attach",
      "--artifact-type",
      provenanceType,
      "--file",
      "provenance.json",
      name,
    );
    expect(await cli(...attach)).toMatchObject({ code: 0, stdout: sbom.stdout });

    const listed = JSON.parse((await cli("referrers", "--json", name)).stdout);
    expect(listed).toMatchObject([
      { artifactType, digest: sbom.stdout.trim() },
      { artifactType: provenanceType, digest: provenance.stdout.trim() },
    ]);
    const lines = `${sbom.stdout.trim()} ${artifactType}\n${provenance.stdout.trim()} ${provenanceType}\n`;
    expect((await cli("referrers", name)).stdout).toBe(lines);

    const stored = registry.manifests.get(`team/app@${sbom.stdout.trim()}`);
    const manifest = JSON.parse(stored?.bytes.toString() ?? "{}");
    expect(manifest.subject.digest).toBe(digest);
    expect(registry.blobs.get(manifest.layers[0].digest)?.toString()).toBe('{"bomFormat":"CycloneDX"}');
    expect(await cli("push", name)).toMatchObject({ stderr: `${name} is there already\n` });
    const listTag = `team/app:${digest.replace(":", "-")}`;
    expect(registry.manifests.has(listTag)).toBe(!referrers);
  });
});

it.each([
  [
    "E_SUBJECT_MISSING",
    (host: string) => ["--artifact-type", artifactType, "--file", "sbom.json", `${host}/none:1`],
  ],
  ["E_USAGE", (host: string) => ["--artifact-type", "sbom", "--file", "sbom.json", `${host}/none:1`]],
  ["E_FILE_MISSING", (host: string) => ["--artifact-type", artifactType, "--file", "none", `${host}/none:1`]],
])("refuses with %s", async (code, argv) => {
  const registry = await startTestRegistry();
  onTestFinished(() => registry.close());
  const cwd = makeScratchFolder({ "sbom.json": "{}" });
  const refused = await runCli(["attach", ...argv(registry.host)], { store: makeScratchFolder(), cwd });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(code) });
});
