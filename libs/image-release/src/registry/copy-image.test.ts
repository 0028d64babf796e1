import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RegistryServer, startRegistryServer } from "../testing/registry-server.ts";
import { copyImage } from "./copy-image.ts";
import { digestOf } from "./digest.ts";
import { createRegistryClient } from "./registry-client.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";
const config = Buffer.from("{}");
const layer = randomBytes(3_000_000);
const describeBlob = (content: Buffer) => ({ digest: digestOf(content), size: content.length });
const manifest = Buffer.from(
  JSON.stringify({ mediaType, config: describeBlob(config), layers: [describeBlob(layer)] }, undefined, 3),
);
const image = { digest: digestOf(manifest), tag: "content-0a1b" };

let source: RegistryServer;
let target: RegistryServer;
beforeEach(async () => {
  [source, target] = await Promise.all([startRegistryServer(), startRegistryServer()]);
  for (const blob of [config, layer]) source.blobs.set(digestOf(blob), blob);
  source.manifests.set(image.digest, { mediaType, content: manifest });
});
afterEach(() => Promise.all([source.close(), target.close()]));

const open = ({ login }: RegistryServer, signal = new AbortController().signal) =>
  createRegistryClient(login, "app", signal);

describe("copyImage", () => {
  it("copies byte for byte, the manifest last", async () => {
    const progress: string[] = [];
    await copyImage(open(source), open(target), image, (text) => progress.push(text));
    expect(target.manifests.get(image.tag)).toEqual({ mediaType, content: manifest });
    expect(target.blobs.get(digestOf(layer))?.equals(layer)).toBe(true);
    expect(target.requests.at(-1)).toBe(`PUT /v2/app/manifests/${image.tag}`);
    expect(progress).toEqual(["blob 1 of 2, 0.0 MB", "blob 2 of 2, 3.0 MB"]);
  });

  it("sends nothing that is there already", async () => {
    for (const blob of [config, layer]) target.blobs.set(digestOf(blob), blob);
    await copyImage(open(source), open(target), image, () => {});
    expect(target.requests.filter((request) => request.startsWith("POST"))).toEqual([]);
    expect(target.manifests.has(image.digest)).toBe(true);
  });

  it("doesn't show the registry's password to the storage behind it", async () => {
    await copyImage(open(source), open(target), image, () => {});
    expect(source.storageAuthorizations).toEqual([undefined, undefined]);
  });

  it("refuses a manifest that is not the one asked for", async () => {
    source.manifests.set(image.digest, { mediaType, content: Buffer.from(`${manifest} `) });
    const copy = copyImage(open(source), open(target), image, () => {});
    await expect(copy).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    expect(target.requests).toEqual([]);
  });

  it("leaves no manifest where a layer came damaged", async () => {
    source.blobs.set(digestOf(layer), randomBytes(10));
    const copy = copyImage(open(source), open(target), image, () => {});
    await expect(copy).rejects.toMatchObject({ code: "E_REGISTRY_REFUSED", value: "DIGEST_INVALID" });
    expect(target.manifests.size).toBe(0);
  });

  it("shows what a registry says when it refuses", async () => {
    const login = { ...target.login, password: "expired" };
    const client = createRegistryClient(login, "app", new AbortController().signal);
    const copy = copyImage(open(source), client, image, () => {});
    await expect(copy).rejects.toMatchObject({
      code: "E_REGISTRY_REFUSED",
      what: expect.stringMatching(/^HEAD .* failed with 401$/),
    });
  });

  it("says which registry can't be reached", async () => {
    await target.close();
    const copy = copyImage(open(source), open(target), image, () => {});
    await expect(copy).rejects.toMatchObject({
      code: "E_REGISTRY_UNREACHABLE",
      value: new URL(target.login.endpoint).host,
    });
  });

  it("ends with the signal", async () => {
    const copy = copyImage(
      open(source, AbortSignal.abort(new Error("lease lost"))),
      open(target),
      image,
      () => {},
    );
    await expect(copy).rejects.toThrow("lease lost");
    expect(target.requests).toEqual([]);
  });
});
