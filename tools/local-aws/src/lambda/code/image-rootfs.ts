import { randomUUID } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  createWriteStream,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CodedError } from "@workspace/shared-config";
import { type Extract, extract } from "tar-stream";
import type { ServiceContext } from "../../service.ts";
import type { ImageCode, Layer } from "../model.ts";
import { downloadBlob } from "./download.ts";
import { layerTypes } from "./image.ts";
import { resolveInRoot } from "./root-path.ts";

/**
 * The file systems of images, each in a folder of its own. A layer is unpacked once, and laid into each image that has
 * it: a release that changes the app's layer alone unpacks that alone.
 */
export function createRootfsCache(context: ServiceContext) {
  const { directory } = context.store;
  const images = join(directory, "images");
  const layers = join(directory, "layers");
  mkdirSync(images, { recursive: true });
  mkdirSync(layers, { recursive: true });
  const underWay = new Map<string, Promise<string>>();

  /** Makes a folder whole or not at all, and once. */
  function once(path: string, fill: (part: string) => Promise<void>): Promise<string> {
    if (existsSync(path)) return Promise.resolve(path);
    const running = underWay.get(path);
    if (running !== undefined) return running;
    const part = `${path}.${randomUUID()}.part`;
    const work = (async () => {
      try {
        mkdirSync(part);
        await fill(part);
        renameSync(part, path);
        return path;
      } finally {
        rmSync(part, { recursive: true, force: true });
        underWay.delete(path);
      }
    })();
    underWay.set(path, work);
    return work;
  }

  const unpackLayer = (repositoryName: string, { digest, mediaType }: Layer) =>
    once(join(layers, digest.replace(":", "-")), async (part) => {
      const blob = await downloadBlob(context, repositoryName, digest);
      const decompress = layerTypes.gzip.has(mediaType) ? createGunzip() : new PassThrough();
      const entries = extract();
      entries.on("entry", (_header, entry, next) => {
        unpackEntry(entry, part).then(() => next(), next);
      });
      await pipeline(blob, decompress, entries);
    });

  return {
    /** Gives the folder. */
    unpack: ({ sha256, repositoryName, layers: wanted }: ImageCode) =>
      once(join(images, sha256), async (part) => {
        for (const layer of wanted) layOver(await unpackLayer(repositoryName, layer), part, "/");
      }),

    /** Deletes what none of the images needs, and what a killed server left half done. Nothing may be unpacking. */
    deleteOthers(kept: readonly ImageCode[]): void {
      const keptImages = new Set(kept.map(({ sha256 }) => sha256));
      const keptLayers = new Set(
        kept.flatMap((code) => code.layers.map(({ digest }) => digest.replace(":", "-"))),
      );
      for (const [folder, names] of [[images, keptImages] as const, [layers, keptLayers] as const]) {
        for (const name of readdirSync(folder)) {
          if (!names.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
        }
      }
    },
  };
}

type Entry = Extract extends AsyncIterable<infer T> ? T : never;

async function unpackEntry(entry: Entry, root: string): Promise<void> {
  const { name, type, mode, linkname } = entry.header;
  if (type === "directory") {
    mkdirSync(resolveInRoot(root, name), { recursive: true });
    entry.resume();
    return;
  }
  const path = join(resolveInRoot(root, dirname(name)), parseFileName(name));
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  switch (type) {
    case "file":
    case "contiguous-file":
      await pipeline(entry, createWriteStream(path));
      // Not to be written, as on AWS, where the whole file system isn't.
      chmodSync(path, mode & 0o555);
      return;
    case "symlink":
      symlinkSync(linkname, path);
      break;
    case "link":
      linkSync(resolveInRoot(root, linkname), path);
      break;
    default:
      throw new Error(`local-aws: a layer has the ${type} ${name}, which can't be unpacked here`);
  }
  entry.resume();
}

/**
 * The last part of an entry's path, which is put into a folder of the image as it is written.
 * @throws CodedError `E_LAYER_MALFORMED` where it is that folder or the one above
 */
function parseFileName(path: string): string {
  const name = basename(path);
  if (name !== "" && name !== "." && name !== "..") return name;
  throw new CodedError({
    code: "E_LAYER_MALFORMED",
    what: "a layer has a file or link whose name can only be a folder's",
    value: path,
    remedy: "Don't trust that image; build it anew, or take it from elsewhere.",
  });
}

const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

/**
 * Lays a folder of a layer over the image. What a whiteout takes away is of the layers below, so it goes first.
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
function layOver(layer: string, root: string, path: string): void {
  const to = resolveInRoot(root, path);
  const entries = readdirSync(join(layer, path), { withFileTypes: true });
  if (entries.some(({ name }) => name === opaque)) rmSync(to, { recursive: true, force: true });
  if (!lstatSync(to, { throwIfNoEntry: false })?.isDirectory()) {
    rmSync(to, { force: true });
    mkdirSync(to, { recursive: true });
  }
  for (const { name } of entries) {
    const hidden = name.startsWith(whiteout) ? basename(name.slice(whiteout.length)) : "";
    if (hidden !== "" && hidden !== "." && hidden !== "..") {
      rmSync(join(to, hidden), { recursive: true, force: true });
    }
  }
  for (const entry of entries) {
    if (entry.name.startsWith(whiteout)) continue;
    const [source, target] = [join(layer, path, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      layOver(layer, root, join(path, entry.name));
      continue;
    }
    rmSync(target, { recursive: true, force: true });
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else layFile(source, target);
  }
}

/** From here on a copy takes longer than a release should notice. */
const sharedMinBytes = 32 * 1024 * 1024;

/**
 * The image gets a file of its own: root may write into it whatever its mode, and the layer is other images', too. What
 * is linked instead is the engine, or as large: no one can write into a program that runs.
 * @see https://man7.org/linux/man-pages/man2/open.2.html ETXTBSY
 */
function layFile(source: string, target: string): void {
  const { size, mode } = statSync(source);
  if (size >= sharedMinBytes && (mode & 0o111) !== 0) linkSync(source, target);
  else copyFileSync(source, target);
}
