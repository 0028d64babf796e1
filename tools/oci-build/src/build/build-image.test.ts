// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that form
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { digestOf } from "../image/digest.ts";
import type { ImageConfig } from "../image/image-config.ts";
import { mediaTypes } from "../image/manifest.ts";
import { parsePlatform } from "../image/platform.ts";
import type { BaseImage } from "../layer/layer.ts";
import { readLayer } from "../layer/read-layer.ts";
import { createLineProgress } from "../progress/progress.ts";
import { findImage } from "../store/local-images.ts";
import { openStore, type Store } from "../store/store.ts";
import { makeScratchFolder, type ScratchFile, writeFiles } from "../testing/scratch-folder.ts";
import { type BuildImageProps, buildImage } from "./build-image.ts";

const amd64 = parsePlatform("linux/amd64");

interface Built {
  readonly digest: string;
  readonly config: ImageConfig;
  /** By layer: `755 0:0 path`, with `/` behind directories. */
  readonly layers: readonly (readonly string[])[];
  readonly lines: readonly string[];
}

type Files = Readonly<Record<string, ScratchFile>>;

async function build(
  files: Files,
  props: Partial<BuildImageProps> & { readonly store?: Store } = {},
): Promise<Built> {
  const contextDirectory = makeScratchFolder(files);
  const store = props.store ?? openStore(makeScratchFolder());
  const lines: string[] = [];
  const { digest } = await buildImage({
    contextDirectory,
    platform: amd64,
    buildPlatform: amd64,
    buildArgs: {},
    labels: {},
    epochSeconds: 0,
    noCache: false,
    pull: () => Promise.reject(new Error("nothing is to be pulled")),
    progress: createLineProgress((line) => lines.push(line)),
    ...props,
    store,
  });
  const image = findImage(store, digest);
  if (image === undefined) throw new Error(`the store lacks ${digest}`);
  const layers = [];
  for (const [index, descriptor] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index] ?? digestOf("");
    const changes = await readLayer(store, { descriptor, diffId });
    layers.push(
      changes.flatMap((change) => ("node" in change ? [`${change.path} ${change.node.type}`] : [])),
    );
  }
  return { digest, config: image.config, layers, lines };
}

const dockerfile = (...lines: string[]) => ({ Dockerfile: lines.join("\n"), "app.js": "1", "dir/file": "2" });

describe("buildImage", () => {
  it("carries out every instruction", async () => {
    const { config, layers } = await build(
      dockerfile(
        "FROM scratch",
        "ARG NAME=world TARGETARCH",
        'ENV GREETING="hello $NAME" ARCH=$TARGETARCH',
        "LABEL who=$NAME",
        "WORKDIR /var/task",
        "COPY app.js .",
        "COPY dir /opt/${NAME}",
        "WORKDIR sub",
        "USER 993",
        "EXPOSE 80 8000-8001/udp",
        "CMD start",
        'ENTRYPOINT ["/engine"]',
      ),
      { labels: { more: "1" } },
    );
    expect(config).toMatchObject({ architecture: "amd64", os: "linux", created: "1970-01-01T00:00:00Z" });
    expect(config.config).toEqual({
      Env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "GREETING=hello world",
        "ARCH=amd64",
      ],
      Labels: { who: "world", more: "1" },
      WorkingDir: "/var/task/sub",
      User: "993",
      ExposedPorts: { "80/tcp": {}, "8000/udp": {}, "8001/udp": {} },
      Cmd: ["/bin/sh", "-c", "start"],
      Entrypoint: ["/engine"],
    });
    expect(layers).toEqual([
      ["var directory", "var/task directory", "var/task/app.js file"],
      ["opt directory", "opt/world directory", "opt/world/file file"],
      ["var/task/sub directory"],
    ]);
    const ofLayers = config.history.filter((entry) => !entry.empty_layer);
    expect(ofLayers).toHaveLength(layers.length);
  });

  it("builds the stages that the target needs, and no others", async () => {
    const files = dockerfile(
      "FROM missing.example/unused AS unused",
      "FROM scratch AS files",
      "COPY app.js dir/file /a/",
      "FROM files AS more",
      "ENV A=1",
      "COPY app.js /b",
      "FROM scratch AS last",
      "COPY --from=files /a/* /from-name/",
      "COPY --from=1 /a /from-number/",
    );
    expect((await build(files)).layers).toEqual([
      ["from-name directory", "from-name/app.js file", "from-name/file file"],
      ["from-number directory", "from-number/app.js file", "from-number/file file"],
    ]);
    const more = await build(files, { target: "more" });
    expect(more.layers).toEqual([["a directory", "a/app.js file", "a/file file"], ["b file"]]);
    await expect(build(files, { target: "none" })).rejects.toThrow("unused, files, more, last");
  });

  it("chooses by argument, and says which argument nothing uses", async () => {
    const files = dockerfile(
      "ARG BASE=first",
      "FROM scratch AS first",
      "COPY app.js /first",
      "FROM scratch AS second",
      "COPY app.js /second",
      "FROM ${BASE}",
    );
    const { layers, lines } = await build(files, { buildArgs: { BASE: "second", OTHER: "1" } });
    expect(layers).toEqual([["second file"]]);
    expect(lines).toContain("warning: no stage uses --build-arg OTHER");
  });

  it("gives the same digest for the same input, wherever and whenever", async () => {
    const files = dockerfile("FROM scratch", "COPY . /x/", "ENV A=1");
    const store = openStore(makeScratchFolder());
    const [first, second, uncached] = [
      await build(files, { store }),
      await build(files, { store: openStore(makeScratchFolder()) }),
      await build(files, { store, noCache: true }),
    ];
    expect([second.digest, uncached.digest]).toEqual([first.digest, first.digest]);
  });

  it.each<[string, Files, Partial<BuildImageProps>]>([
    ["a file's content", { "app.js": "other" }, {}],
    ["a file's mode", { "app.js": { mode: 0o755, text: "1" } }, {}],
    ["another file", { more: "" }, {}],
    ["an argument", {}, { buildArgs: { A: "2" } }],
    ["a label", {}, { labels: { a: "1" } }],
    ["the epoch", {}, { epochSeconds: 1 }],
    ["the platform", {}, { platform: parsePlatform("linux/arm64") }],
  ])("gives another digest for %s", async (_, change, props) => {
    const files = dockerfile("FROM scratch", "ARG A=1", "ENV A=$A", "COPY . /x/");
    const store = openStore(makeScratchFolder());
    const before = await build(files, { store });
    expect((await build({ ...files, ...change }, { ...props, store })).digest).not.toBe(before.digest);
  });

  it("writes a layer once, and takes it from the store from then on", async () => {
    const store = openStore(makeScratchFolder());
    const files = dockerfile("FROM scratch", "COPY dir /d", "COPY app.js /");
    await build(files, { store });
    const { lines } = await build({ ...files, "app.js": "edited" }, { store });
    expect(lines.map((line) => line.replace(/\d+ B/, "N B"))).toEqual([
      "COPY dir /d  N B, cached",
      "COPY app.js /  N B",
    ]);
  });

  it("honours .dockerignore", async () => {
    const files = { ...dockerfile("FROM scratch", "COPY . /"), ".dockerignore": "*\n!app.js" };
    expect((await build(files)).layers).toEqual([["app.js file"]]);
    const named = { ...dockerfile("FROM scratch", "COPY dir /d"), ".dockerignore": "dir" };
    await expect(build(named)).rejects.toThrow("E_COPY_SOURCE_MISSING");
  });

  it.each<[string[], string]>([
    [["FROM scratch", "RUN make"], "E_DOCKERFILE_UNSUPPORTED: line 2"],
    [["FROM ${NONE}"], "E_DOCKERFILE_MALFORMED: line 1"],
    [["FROM scratch", "COPY --from=3 a b"], "E_DOCKERFILE_MALFORMED: line 2"],
    [["FROM scratch", "COPY --chown=user app.js /"], "E_DOCKERFILE_MALFORMED: line 2"],
    [["FROM scratch", "COPY --chmod=u+x app.js /"], "E_DOCKERFILE_MALFORMED: line 2"],
    [["FROM scratch", "EXPOSE http"], "E_DOCKERFILE_MALFORMED: line 2"],
    [["FROM scratch", "COPY ../none /"], "E_COPY_SOURCE_MISSING"],
  ])("refuses %j", async (lines, message) => {
    await expect(build(dockerfile(...lines))).rejects.toThrow(message);
  });

  it("says where it looked for the Dockerfile", async () => {
    await expect(build({ a: "" })).rejects.toThrow(expect.objectContaining({ code: "E_DOCKERFILE_MISSING" }));
  });

  it("stops when a file changes between being planned and being written", async () => {
    const contextDirectory = makeScratchFolder(dockerfile("FROM scratch", "COPY app.js /"));
    const store = openStore(makeScratchFolder());
    const openBlobWriter: Store["openBlobWriter"] = () => {
      writeFiles(contextDirectory, { "app.js": "2" });
      return store.openBlobWriter();
    };
    await expect(build({}, { contextDirectory, store: { ...store, openBlobWriter } })).rejects.toThrow(
      "E_FILE_CHANGED",
    );
    expect(store.records("layers")).toEqual([]);
  });
});

describe("on a base image", () => {
  /** `FROM base` with /usr/lib/libc.so, a hard link and a symlink to it, and /lib, a symlink to /usr/lib. */
  async function makeBase(store: Store): Promise<BaseImage> {
    const lower = pack();
    lower.entry({ name: "usr/lib/", type: "directory", mode: 0o755 });
    lower.entry({ name: "usr/lib/libc.so", mode: 0o755 }, "libc");
    lower.entry({ name: "usr/lib/hard.so", type: "link", linkname: "usr/lib/libc.so" });
    lower.entry({ name: "usr/lib/libc.so.6", type: "symlink", linkname: "libc.so" });
    lower.entry({ name: "lib", type: "symlink", linkname: "usr/lib" });
    lower.entry({ name: "etc/gone" }, "gone");
    lower.finalize();
    const upper = pack();
    upper.entry({ name: "etc/.wh.gone" }, "");
    upper.entry({ name: "etc/here" }, "here");
    upper.finalize();
    const layers = [];
    for (const tar of [lower, upper]) {
      const bytes = await buffer(tar as unknown as Readable);
      const blob = gzipSync(bytes);
      const descriptor = {
        mediaType: mediaTypes.ociLayerGzip,
        digest: store.putBlob(blob),
        size: blob.byteLength,
      };
      layers.push({ descriptor, diffId: digestOf(bytes) });
    }
    return {
      layers,
      config: {
        architecture: "amd64",
        os: "linux",
        config: { Env: ["A=base", "PATH=/bin"], Cmd: ["base"], User: "1" },
        rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
        history: [{ created: "2020-01-01T00:00:00Z", created_by: "base 1" }, { created_by: "base 2" }],
      },
    };
  }

  it("keeps its layers and configuration, and follows its symlinks", async () => {
    const store = openStore(makeScratchFolder());
    const base = await makeBase(store);
    const { config, layers } = await build(
      dockerfile("FROM base", "ENV B=$A", "COPY app.js /lib/", 'ENTRYPOINT ["/x"]'),
      { store, pull: async () => base },
    );
    expect(layers).toHaveLength(3);
    expect(layers[2]).toEqual(["usr/lib/app.js file"]);
    expect(config.config).toEqual({ Env: ["A=base", "PATH=/bin", "B=base"], User: "1", Entrypoint: ["/x"] });
    expect(config.history.slice(0, 2)).toMatchObject([{ created_by: "base 1" }, { created_by: "base 2" }]);
  });

  it("copies out of it, through hard links and symlinks, and not what a later layer removed", async () => {
    const store = openStore(makeScratchFolder());
    const base = await makeBase(store);
    const pull = async () => base;
    const files = dockerfile("FROM scratch", "COPY --from=base /lib/*.so /lib/libc.so.6 /etc /x/");
    const { layers, config } = await build(files, { store, pull });
    expect(layers).toEqual([
      ["x directory", "x/hard.so file", "x/here file", "x/libc.so file", "x/libc.so.6 file"],
    ]);
    const [diffId = digestOf("")] = config.rootfs.diff_ids;
    const image = findImage(store, (await build(files, { store, pull })).digest);
    const [descriptor] = image?.manifest.layers ?? [];
    const changes = descriptor === undefined ? [] : await readLayer(store, { descriptor, diffId });
    const digests = changes.flatMap((change) =>
      "node" in change && change.node.type === "file" ? [change.node.digest] : [],
    );
    expect(digests).toEqual(["libc", "here", "libc", "libc"].map((content) => digestOf(content)));
    await expect(
      build(dockerfile("FROM scratch", "COPY --from=base /etc/gone /"), { store, pull }),
    ).rejects.toThrow("E_COPY_SOURCE_MISSING");
  });

  it("refuses a layer that is not what its configuration says", async () => {
    const store = openStore(makeScratchFolder());
    const { layers, config } = await makeBase(store);
    const pull = async () => ({
      config,
      layers: layers.map((layer) => ({ ...layer, diffId: digestOf("x") })),
    });
    await expect(build(dockerfile("FROM base"), { store, pull })).rejects.toThrow("E_LAYER_CORRUPT");
  });

  it("asks for it once, however often it is copied from", async () => {
    const store = openStore(makeScratchFolder());
    const base = await makeBase(store);
    let pulls = 0;
    const pull = async () => {
      pulls += 1;
      return base;
    };
    const files = dockerfile(
      "FROM base AS tools",
      "FROM scratch AS one",
      "COPY --from=tools /etc /1",
      "COPY --from=base /etc /2",
      "FROM tools",
      "COPY --from=one / /3/",
    );
    await build(files, { store, pull });
    expect(pulls).toBe(1);
  });

  it("asks for this machine's platform where FROM says so", async () => {
    const store = openStore(makeScratchFolder());
    const base = await makeBase(store);
    const asked: string[] = [];
    await build(
      dockerfile("FROM --platform=$BUILDPLATFORM base AS tools", "FROM scratch", "COPY --from=tools /etc /"),
      {
        store,
        platform: parsePlatform("linux/arm64"),
        pull: async (_, platform) => {
          asked.push(platform.architecture);
          return base;
        },
      },
    );
    expect(asked).toEqual(["amd64"]);
  });
});
