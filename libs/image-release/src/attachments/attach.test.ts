import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../registry/digest.ts";
import { createRegistryClient, type RegistryClient } from "../registry/registry-client.ts";
import { type RegistryServer, startRegistryServer } from "../testing/registry-server.ts";
import { attachMissing } from "./attach.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const manifest = JSON.stringify({ mediaType, config: {}, layers: [] });
const digest = digestOf(manifest);
const attachment = (artifactType: string, content: string) => ({ artifactType, build: async () => content });

let server: RegistryServer;
let registry: RegistryClient;
beforeEach(async () => {
  server = await startRegistryServer();
  registry = createRegistryClient(server.login, "app", new AbortController().signal);
  await registry.putManifest("tag", { mediaType, text: manifest });
});
afterEach(() => server.close());

describe("attachMissing", () => {
  it("refers to the image, and leaves its manifest alone", async () => {
    expect(await attachMissing(registry, digest, [attachment("application/a", "[1]")])).toEqual([
      "application/a",
    ]);
    const [referrer] = await registry.listReferrers(digest);
    const attached = JSON.parse((await registry.getManifest(referrer?.digest ?? "")).text);
    expect(attached.subject).toEqual({ mediaType, digest, size: manifest.length });
    expect(server.blobs.get(attached.layers[0].digest)?.toString()).toBe("[1]");
    expect(await registry.resolve("tag")).toBe(digest);
  });

  it("makes only what is not there yet", async () => {
    const never = {
      artifactType: "application/a",
      build: () => Promise.reject(new Error("was built again")),
    };
    await attachMissing(registry, digest, [attachment("application/a", "[1]")]);
    expect(await attachMissing(registry, digest, [never])).toEqual([]);
    expect(await attachMissing(registry, digest, [never, attachment("application/b", "2")])).toEqual([
      "application/b",
    ]);
    expect(await registry.listReferrers(digest)).toHaveLength(2);
  });
});
