import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { bunPath, type CompiledEngine, keepNewest } from "@workspace/lambda-runtime/compile";
import { CodedError } from "@workspace/shared-config";
import { type NpmPackage, readBundledPackages } from "./bundled-packages.ts";
import { checkBytecode } from "./bytecode.ts";
import { hashFiles } from "./hash-files.ts";

export interface AppBundle {
  /** Has `app.js`, its bytecode `app.js.jsc`, and the files that the app imports as files: `font-8kbhb96a.ttf`. */
  readonly directory: string;
  /** All that is in the directory, sorted. */
  readonly files: readonly string[];
  /** Whether the engine was seen to use the bytecode; `unknown` where this machine can't run the engine. */
  readonly bytecode: "used" | "unknown";
  /** Of which something is in the bundle. */
  readonly packages: readonly NpmPackage[];
}

/** What is kept of a bundle. */
type KeptBundle = Omit<AppBundle, "packages">;

/** What an app finds its build's identity under: 12 hex digits that change with the bundle, and only with it. */
const identity = "process.env.BUILD_ID";

const flags = ["--target=bun", "--format=cjs", "--minify", "--keep-names", "--entry-naming=app.js"];
/** Of some megabytes each: enough to go back and forth between branches without making one again. */
const keptApps = 50;
const cacheDir = join(import.meta.dirname, "../dist/apps");
const run = promisify(execFile);

/**
 * Bundles an app. The bundle itself is made each time, since only that shows whether anything has changed; bytecode and
 * its check are kept.
 *
 * @throws CodedError `E_BUNDLE_FAILED`, `E_BYTECODE_UNUSED`
 */
export async function buildApp(entry: string, engine: CompiledEngine): Promise<AppBundle> {
  await mkdir(cacheDir, { recursive: true });
  const part = await mkdtemp(join(cacheDir, "part-"));
  try {
    const metafile = join(part, "metafile.json");
    const plain = join(part, "plain");
    await bundle(entry, plain, "", [`--metafile=${metafile}`]);
    // Of this very build: the same bytes may come from another version of a package.
    const packages = await readBundledPackages(metafile, dirname(entry));
    const hash = await hashFiles(plain, await listFiles(plain));
    const buildId = hash.copy().digest("hex").slice(0, 12);
    const directory = join(cacheDir, hash.update(engine.sha256).digest("hex").slice(0, 16));
    const known = await findKnown(directory);
    if (known !== undefined) return { ...known, packages };
    const files = join(part, "files");
    await bundle(entry, files, buildId, ["--bytecode"]);
    await writeFile(join(part, "bytecode"), await checkBytecode(engine, files));
    for (const path of [plain, metafile]) await rm(path, { recursive: true });
    await rename(part, directory).catch(ignoreExisting);
    await keepNewest(cacheDir, keptApps);
    const kept = await findKnown(directory);
    if (kept === undefined) throw new Error(`${directory} has vanished`);
    return { ...kept, packages };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function findKnown(directory: string): Promise<KeptBundle | undefined> {
  try {
    const bytecode = await readFile(join(directory, "bytecode"), "utf8");
    const files = join(directory, "files");
    return {
      directory: files,
      files: await listFiles(files),
      bytecode: bytecode === "used" ? "used" : "unknown",
    };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** By code unit: the order in which a folder lists them is not the same everywhere. */
async function listFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).sort();
}

/** Another build has made the same meanwhile. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOTEMPTY") throw error;
}

/** Names are relative and always the same: bytecode holds them, and the same content must give the same bytes. */
async function bundle(
  entry: string,
  outDir: string,
  buildId: string,
  more: readonly string[],
): Promise<void> {
  const define = `--define=${identity}=${JSON.stringify(buildId)}`;
  try {
    await run(bunPath, ["build", basename(entry), ...flags, ...more, define, `--outdir=${outDir}`], {
      cwd: dirname(entry),
    });
  } catch (cause) {
    throw new CodedError({
      code: "E_BUNDLE_FAILED",
      what: "the app could not be bundled",
      value: cause instanceof Error && "stderr" in cause ? cause.stderr : entry,
      remedy: "Mend what the bundler says. It makes CommonJS, which has no top-level await.",
      cause,
    });
  }
}
