import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export interface ImageSizes {
  /** Compressed bytes of the layers. */
  readonly glibc: number;
  readonly engine: number;
  /** Of the app with real dependencies: code and bytecode. */
  readonly app: number;
  readonly image: number;
}

const glibcFiles = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"];
const folders = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/lib"];
const loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/**
 * What the layers of an image weigh on their way to the registry. The files of glibc are this machine's own; on a
 * machine without them that layer counts for nothing, and the size says so by being 0.
 *
 * @param context a folder that `buildImageContext` made
 */
export function measureImage(context: string): ImageSizes {
  const own = glibcFiles.map((name) =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path)),
  );
  const glibc = [...own, loaders.find((path) => existsSync(path))].filter((path) => path !== undefined);
  const engine = compressed(join(context, "engine"));
  const app = compressed(join(context, "app/app.js")) + compressed(join(context, "app/app.js.jsc"));
  const glibcBytes = glibc.reduce((sum, path) => sum + compressed(path), 0);
  return { glibc: glibcBytes, engine, app, image: glibcBytes + engine + app };
}

function compressed(path: string): number {
  return gzipSync(readFileSync(path), { level: 6 }).length;
}
