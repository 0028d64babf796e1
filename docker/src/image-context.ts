import { createHash } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Architecture } from "@workspace/shared-config";
import { buildApp } from "./app-bundle.ts";
import { buildEngine } from "./engine-binary.ts";
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
  /** Hash over every file's path, mode and bytes: 64 hex digits. */
  readonly contentId: string;
  readonly platform: "linux/amd64" | "linux/arm64";
}

/** Bundles the app and puts engine, app and Dockerfile side by side. @throws CodedError `E_BUNDLE_FAILED`, `E_BYTECODE_UNUSED` */
export async function buildImageContext({
  appEntry,
  architecture,
  outDir,
}: ImageContextProps): Promise<ImageContext> {
  const engine = await buildEngine(architecture);
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(join(outDir, "app"), { recursive: true });
  await buildApp(appEntry, join(outDir, "app"));
  placeFile(engine.path, join(outDir, "engine"));
  const kind = appEntry === initialAppEntry ? "initial" : "app";
  copyFileSync(join(import.meta.dirname, "..", kind, "Dockerfile"), join(outDir, "Dockerfile"));
  return {
    directory: outDir,
    contentId: hashContext(outDir, new Map([["engine", engine.sha256]])),
    platform: architecture === "arm64" ? "linux/arm64" : "linux/amd64",
  };
}

/** A hard link where the file system has one: the engine has 100 MB. */
function placeFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    copyFileSync(from, to);
  }
}

/** @param known hashes of files that have been read already */
function hashContext(directory: string, known: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        visit(path);
        continue;
      }
      const name = relative(directory, path);
      const mode = statSync(path).mode & 0o777;
      const sha256 = known.get(name) ?? createHash("sha256").update(readFileSync(path)).digest("hex");
      hash.update(JSON.stringify([name, mode, sha256]));
    }
  };
  visit(directory);
  return hash.digest("hex");
}
