import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestOf } from "../image/digest.ts";
import { type Descriptor, mediaTypes } from "../image/manifest.ts";
import { parsePlatform } from "../image/platform.ts";
import { createLineProgress } from "../progress/progress.ts";
import { tagImage } from "../store/local-images.ts";
import { openStore, type Store } from "../store/store.ts";
import { makeScratchFolder } from "../testing/scratch-folder.ts";
import { startTestRegistry, type TestRegistry, type TestRegistryProps } from "../testing/test-registry.ts";
import { pullImage } from "./pull-image.ts";
import { pushImage } from "./push-image.ts";
import { createRegistries } from "./registries.ts";

async function open(props: TestRegistryProps = {}) {
  const registry = await startTestRegistry(props);
  onTestFinished(() => registry.close());
  const store = openStore(makeScratchFolder());
  const lines: string[] = [];
  const progress = createLineProgress((line) => lines.push(line));
  const registries = createRegistries({ dockerConfigDirectory: makeScratchFolder(), onRetry: progress.line });
  const push = (name: string) => pushImage({ store, registries, name, progress });
  const pull = (reference: string, platform = "linux/amd64") =>
    pullImage({ store, registries, reference, platform: parsePlatform(platform), progress });
  return { registry, store, lines, push, pull };
}

function describeBlob(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

const layer = gzipSync(Buffer.alloc(1024));

function buildParts(architecture: string, manifestType: string = mediaTypes.ociManifest) {
  const diffIds = [digestOf(Buffer.alloc(1024))];
  const config = Buffer.from(
    JSON.stringify({ os: "linux", architecture, rootfs: { type: "layers", diff_ids: diffIds }, config: {} }),
  );
  const isDocker = manifestType === mediaTypes.dockerManifest;
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: describeBlob(config, mediaTypes.ociConfig),
    layers: [describeBlob(layer, isDocker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip)],
  };
  return { config, manifest };
}

function putImage(store: Store, name: string, architecture = "amd64"): Descriptor {
  const { config, manifest } = buildParts(architecture);
  for (const bytes of [config, layer]) store.putBlob(bytes);
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = describeBlob(bytes, mediaTypes.ociManifest);
  store.putBlob(bytes);
  tagImage(store, name, descriptor);
  return descriptor;
}

describe("pushImage", () => {
  it("sends blobs first and the manifest last, and then costs one request", async () => {
    const { registry, store, lines, push } = await open();
    const name = `${registry.host}/team/app:1`;
    const descriptor = putImage(store, name);
    expect(await push(name)).toEqual(descriptor);
    expect(registry.manifests.get("team/app:1")?.mediaType).toBe(mediaTypes.ociManifest);
    expect(registry.requests.at(-1)).toBe("PUT /v2/team/app/manifests/1");
    expect(registry.blobs.size).toBe(2);

    const before = registry.requests.length;
    expect(await push(name)).toEqual(descriptor);
    expect(registry.requests.slice(before)).toEqual(["HEAD /v2/team/app/manifests/1"]);
    expect(lines.at(-1)).toBe(`${name} is there already`);
  });

  it("sends no layer that is there, and mounts one that another repository has", async () => {
    const { registry, store, push } = await open();
    const names = [`${registry.host}/a:1`, `${registry.host}/a:2`, `${registry.host}/b:1`];
    const [first = "", second = "", third = ""] = names;
    putImage(store, first);
    await push(first);
    putImage(store, second, "arm64");
    const before = registry.requests.length;
    await push(second);
    expect(registry.requests.slice(before).filter((request) => request.startsWith("POST"))).toHaveLength(1);
    putImage(store, third, "arm64");
    const beforeThird = registry.requests.length;
    await push(third);
    const uploads = registry.requests
      .slice(beforeThird)
      .filter((request) => /^(POST|PUT).*uploads/.test(request));
    expect(uploads).toHaveLength(2);
    for (const upload of uploads) expect(upload).toMatch(/^POST .*mount=sha256.*from=a/);
  });

  it("says that a tag can't be moved", async () => {
    const { registry, store, push } = await open({ immutableTags: true });
    const name = `${registry.host}/app:1`;
    putImage(store, name);
    await push(name);
    putImage(store, name, "arm64");
    await expect(push(name)).rejects.toThrow(expect.objectContaining({ code: "E_TAG_IMMUTABLE" }));
  });

  it("says that there is no such image", async () => {
    const { push } = await open();
    await expect(push("127.0.0.1:1/none")).rejects.toThrow("E_IMAGE_MISSING");
  });
});

describe("pullImage", () => {
  function offer(
    registry: TestRegistry,
    architectures: readonly string[],
    type: string = mediaTypes.ociManifest,
  ) {
    const entries = architectures.map((architecture) => {
      const { config, manifest } = buildParts(architecture, type);
      for (const bytes of [config, layer]) registry.addBlob(bytes);
      const digest = registry.addManifest("base", architecture, type, manifest);
      const size = Buffer.byteLength(JSON.stringify(manifest));
      return { mediaType: type, digest, size, platform: { os: "linux", architecture } };
    });
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries };
    return registry.addManifest("base", "all", mediaTypes.ociIndex, index);
  }

  it("picks the platform out of an index, and then needs the registry no more", async () => {
    const { registry, pull } = await open();
    const digest = offer(registry, ["amd64", "arm64"]);
    const reference = `${registry.host}/base@${digest}`;
    const { config, layers } = await pull(reference, "linux/arm64");
    expect([config.architecture, layers.length]).toEqual(["arm64", 1]);
    const before = registry.requests.length;
    expect(await pull(reference, "linux/arm64")).toEqual({ config, layers });
    expect(registry.requests.length).toBe(before);
  });

  it("asks again what a tag names", async () => {
    const { registry, pull } = await open();
    offer(registry, ["amd64"]);
    const reference = `${registry.host}/base:all`;
    await pull(reference);
    offer(registry, ["arm64"]);
    await expect(pull(reference)).rejects.toThrow("E_BASE_IMAGE_PLATFORM");
  });

  it("takes Docker's manifests, and calls their layers what OCI calls them", async () => {
    const { registry, pull } = await open();
    offer(registry, ["amd64"], mediaTypes.dockerManifest);
    const { layers } = await pull(`${registry.host}/base:amd64`);
    expect(layers.map(({ descriptor }) => descriptor.mediaType)).toEqual([mediaTypes.ociLayerGzip]);
  });

  it("refuses another platform than the one asked for", async () => {
    const { registry, pull } = await open();
    offer(registry, ["amd64"]);
    for (const tag of ["all", "amd64"]) {
      await expect(pull(`${registry.host}/base:${tag}`, "linux/arm64")).rejects.toThrow(
        "E_BASE_IMAGE_PLATFORM",
      );
    }
  });

  it("says that there is no such image", async () => {
    const { registry, pull } = await open();
    await expect(pull(`${registry.host}/none:1`)).rejects.toThrow("E_BASE_IMAGE_MISSING");
  });

  it("prefers an image that was built here", async () => {
    const { store, pull } = await open();
    putImage(store, "built/here:1");
    expect((await pull("built/here:1")).config.architecture).toBe("amd64");
  });
});
