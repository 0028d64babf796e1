// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that form
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { buildImageContext, initialAppEntry } from "@workspace/docker";
import { parseHostArchitecture } from "@workspace/shared-config";
import { describe, expect, it, onTestFinished } from "vitest";
import { isIndex, mediaTypes, parseManifest } from "./image/manifest.ts";
import { findImage } from "./store/local-images.ts";
import { openStore } from "./store/store.ts";
import { skipReason } from "./testing/judges.ts";
import { runCli, runProcess } from "./testing/run-cli.ts";
import { makeScratchFolder, type ScratchFile } from "./testing/scratch-folder.ts";
import { startTestRegistry, type TestRegistry } from "./testing/test-registry.ts";

const missing = skipReason(["buildah", "tar"], { root: true });
const functionEntry = join(import.meta.dirname, "../../../apps/lambda-app/src/handler.ts");

describe.skipIf(missing !== undefined)(`oci-build and buildah${missing ?? ""} build the same`, () => {
  const platforms = ["linux/amd64", "linux/arm64"];
  const entries: Record<string, string> = { app: functionEntry, initial: initialAppEntry };
  const cases = Object.keys(entries).flatMap((image) =>
    ["scratch", "glibc"].flatMap((base) => platforms.map((platform) => ({ image, base, platform }))),
  );

  it.each(cases)("out of docker/$image on $base for $platform", async ({ image, base, platform }) => {
    const { directory } = await buildImageContext({
      appEntry: entries[image] ?? "",
      architecture: parseHostArchitecture(process.arch),
      outDir: join(makeScratchFolder(), "context"),
    });
    replaceEngine(directory);
    const registry = await startTestRegistry();
    onTestFinished(() => registry.close());
    const glibc = base === "glibc" ? await offerGlibc(registry) : undefined;
    const argv = [
      ...["--platform", platform, "--build-arg", `BASE_IMAGE=${base}`],
      ...(glibc === undefined ? [] : ["--build-arg", `GLIBC_IMAGE=${glibc}`]),
    ];
    const [ours, theirs] = [await buildOurs(directory, argv), await buildTheirs(directory, argv)];
    expect(ours.files.length).toBeGreaterThan(5);
    expect(ours).toEqual(theirs);
  });

  it("out of a Dockerfile with the corners of COPY", async () => {
    const directory = makeScratchFolder({
      Dockerfile: [
        "FROM scratch AS files",
        "COPY dir /first",
        "FROM scratch",
        "ARG NAME=named",
        "ENV WHERE=/env/$NAME",
        "LABEL kind=corner",
        "WORKDIR /srv/here",
        "COPY app.js run ./",
        "COPY dir new",
        "COPY dir/sub/file ${WHERE:-none}/",
        "COPY --chown=5:6 --chmod=640 app.js /owned/deep/",
        "COPY --from=files /first/s* /second/",
        "COPY dir/link /followed",
        "COPY a*.js d?r /pattern/",
        "WORKDIR ../there",
        "EXPOSE 80 81/udp",
        "USER 7:8",
        "CMD start now",
      ].join("\n"),
      ".dockerignore": "**/*.log\n!dir/kept.log",
      "app.js": "1",
      "lost.log": "",
      run: { mode: 0o755, text: "#!" },
      "dir/kept.log": "",
      "dir/lost.log": "",
      "dir/sub/file": { mode: 0o600, text: "2" },
      "dir/link": { link: "sub/file" },
      "dir/dangling": { link: "/nowhere" },
    });
    const argv = ["--platform", "linux/amd64"];
    expect(await buildOurs(directory, argv)).toEqual(await buildTheirs(directory, argv));
  });
});

/** A builder doesn't look into a file, and the other one would copy these 100 MB a dozen times. */
function replaceEngine(directory: string): void {
  const engine = join(directory, "engine");
  const { mode } = lstatSync(engine);
  rmSync(engine);
  writeFileSync(engine, "engine", { mode });
}

/** What a person who runs the image could tell apart. */
interface Image {
  /** `755 0:0 sha256 path`, with the target of symlinks in the digest's place; sorted. */
  readonly files: readonly string[];
  readonly architecture: unknown;
  readonly os: unknown;
  readonly config: unknown;
}

async function buildOurs(directory: string, argv: readonly string[]): Promise<Image> {
  const store = makeScratchFolder();
  const { code, stdout, stderr } = await runCli(["build", "--quiet", ...argv, directory], { store });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const image = findImage(openStore(store), stdout.trim());
  return readImage(store, image?.manifestBytes ?? Buffer.of());
}

async function buildTheirs(directory: string, argv: readonly string[]): Promise<Image> {
  const policy = join(
    makeScratchFolder({ policy: '{"default":[{"type":"insecureAcceptAnything"}]}' }),
    "policy",
  );
  const storage = makeScratchFolder();
  const layout = join(makeScratchFolder(), "layout");
  const roots = [
    "--root",
    join(storage, "root"),
    "--runroot",
    join(storage, "run"),
    "--storage-driver",
    "vfs",
  ];
  const trust = ["--tls-verify=false", "--signature-policy", policy];
  const build = [
    "build-using-dockerfile",
    "--layers=false",
    "--format",
    "oci",
    ...trust,
    "--tag",
    "parity",
    ...argv,
  ];
  const push = [
    "push",
    "--format",
    "oci",
    "--disable-compression",
    ...trust,
    "parity",
    `oci:${layout}:parity`,
  ];
  for (const step of [[...build, directory], push]) {
    const { code, stderr } = await runProcess("buildah", [...roots, ...step], {
      environment: { BUILDAH_ISOLATION: "chroot" },
    });
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  }
  const [entry] = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests;
  return readImage(layout, readFileSync(blobPath(layout, entry.digest)));
}

/** @param layout a folder with `blobs/sha256/…` */
async function readImage(layout: string, manifestBytes: Buffer): Promise<Image> {
  const manifest = parseManifest(manifestBytes);
  if (isIndex(manifest)) throw new Error("an image is to be one manifest, not an index");
  const root = join(makeScratchFolder(), "root");
  mkdirSync(root);
  for (const layer of manifest.layers) {
    const argv = [
      "--extract",
      "--preserve-permissions",
      "--same-owner",
      "--numeric-owner",
      "--directory",
      root,
    ];
    const { code, stderr } = await runProcess("tar", [...argv, "--file", blobPath(layout, layer.digest)], {});
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
  const { architecture, os, config } = JSON.parse(
    readFileSync(blobPath(layout, manifest.config.digest), "utf8"),
  );
  const { Labels = {}, ...others } = config;
  const { "io.buildah.version": _, ...labels } = Labels;
  return { files: listFiles(root).sort(), architecture, os, config: { ...others, Labels: labels } };
}

function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", digest.replace(":", "/"));
}

function listFiles(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    const stats = lstatSync(join(root, path));
    const ownership = `${(stats.mode & 0o7777).toString(8)} ${stats.uid}:${stats.gid}`;
    if (stats.isDirectory()) return [`${ownership} ${path}/`, ...listFiles(root, path)];
    if (stats.isSymbolicLink()) return [`${ownership} ${readlinkSync(join(root, path))} ${path}`];
    const digest = createHash("sha256")
      .update(readFileSync(join(root, path)))
      .digest("hex");
    return [`${ownership} ${digest} ${path}`];
  });
}

/** A stand-in for the Debian image, which has what the Dockerfiles copy from it, for both platforms under one index. */
async function offerGlibc(registry: TestRegistry): Promise<string> {
  const entries = [];
  for (const [architecture, triplet, loader] of [
    ["amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"],
    ["arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"],
  ]) {
    const library = `files/usr/lib/${triplet}`;
    const names = [loader, "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libother.so.1"];
    const files = names.map((name): [string, ScratchFile] => [
      `${library}/${name}`,
      { mode: name === loader ? 0o755 : 0o644, text: `${name} for ${architecture}` },
    ]);
    const directory = makeScratchFolder({
      Dockerfile: "FROM scratch\nCOPY files /\n",
      "files/lib": { link: "usr/lib" },
      ...Object.fromEntries(files),
    });
    const store = makeScratchFolder();
    const name = `${registry.host}/debian:${architecture}`;
    for (const argv of [
      ["build", "--platform", `linux/${architecture}`, "--tag", name, directory],
      ["push", name],
    ]) {
      expect(await runCli(argv, { store })).toMatchObject({ code: 0 });
    }
    const image = findImage(openStore(store), name);
    entries.push({ ...image?.descriptor, platform: { os: "linux", architecture } });
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries };
  return `${registry.host}/debian@${registry.addManifest("debian", "all", mediaTypes.ociIndex, index)}`;
}
