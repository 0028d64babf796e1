import { existsSync } from "node:fs";
import { chmod, copyFile, link, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { compileEngine } from "@workspace/lambda-runtime/compile";
import type { Architecture } from "@workspace/shared-config";
import { type AppBundle, buildApp } from "./app-bundle.ts";
import { hashFiles } from "./hash-files.ts";
import { initialAppEntry } from "./initial-app.ts";

export interface ImageContextProps {
  /** Absolute path of the file that exports `handler`. */
  readonly appEntry: string;
  readonly architecture: Architecture;
  /** The folder to make; what it held is gone afterwards. */
  readonly outDir: string;
}

/** A folder that a container CLI builds an image from. */
export interface ImageContext {
  readonly directory: string;
  /** Hash over the platform and every file: 64 hex digits. The same content has the same everywhere. */
  readonly contentId: string;
  readonly platform: "linux/amd64" | "linux/arm64";
  /** Whether the engine was seen to use the app's bytecode; `unknown` where this machine can't run the engine. */
  readonly bytecode: AppBundle["bytecode"];
  /** The npm packages of which something is in the app. */
  readonly packages: AppBundle["packages"];
}

/**
 * Bundles the app and puts engine, app and Dockerfile side by side. What has not changed since last time is not made
 * again.
 *
 * @throws CodedError `E_BUNDLE_FAILED`, `E_BYTECODE_UNUSED`, and what `compileEngine` throws
 */
export async function buildImageContext(props: ImageContextProps): Promise<ImageContext> {
  const { appEntry, architecture, outDir } = props;
  const engine = await compileEngine(architecture);
  const app = await buildApp(appEntry, engine);
  const kind = appEntry === initialAppEntry ? "initial" : "app";
  await mkdir(outDir, { recursive: true });
  await clear(outDir);
  await mkdir(join(outDir, "app"));
  await placeFile(engine.path, join(outDir, "engine"));
  await copyFile(join(import.meta.dirname, "..", kind, "Dockerfile"), join(outDir, "Dockerfile"));
  // Lambda runs as a user of its own, whatever this machine's umask is.
  await chmod(join(outDir, "app"), 0o755);
  for (const name of app.files) {
    await copyFile(join(app.directory, name), join(outDir, "app", name));
    await chmod(join(outDir, "app", name), 0o644);
  }
  const platform = architecture === "arm64" ? "linux/arm64" : "linux/amd64";
  const hash = await hashFiles(outDir, ["Dockerfile", ...app.files.map((name) => `app/${name}`)]);
  hash.update(`${platform}\n${engine.sha256}\n`);
  return {
    directory: outDir,
    contentId: hash.digest("hex"),
    platform,
    bytecode: app.bytecode,
    packages: app.packages,
  };
}

/** Takes out all but the engine, which is 110 MB that a container CLI would read again for a new link. */
async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name !== "engine") await rm(join(directory, name), { recursive: true });
  }
}

/** A hard link where the file system has one. */
async function placeFile(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    const [wanted, present] = await Promise.all([stat(from), stat(to)]);
    if (present.ino === wanted.ino && present.dev === wanted.dev) return;
    await rm(to);
  }
  try {
    await link(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    await copyFile(from, to);
  }
}
