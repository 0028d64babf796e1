import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Architecture, CodedError } from "@workspace/shared-config";
import { bunPath, bunVersion, findBunExecutable, verifyInstalledBun } from "./bun-executable.ts";
import { hardenExecutable } from "./harden.ts";
import { keepNewest } from "./keep-newest.ts";

export interface CompiledEngine {
  readonly architecture: Architecture;
  /** Absolute path of an executable of about 110 MB. */
  readonly path: string;
  /** 64 hex digits. */
  readonly sha256: string;
}

const run = promisify(execFile);
const projectRoot = join(import.meta.dirname, "../..");
/** Two of each architecture: of the sources as they are, and as they were on the branch before. */
const keptEngines = 4;
const targets: Readonly<Record<Architecture, string>> = { x86_64: "bun-linux-x64", arm64: "bun-linux-arm64" };

/**
 * Nothing that lies beside the executable or where it is started may change what it does. And until the engine says
 * that it has started, code must be used this many times as often before it is compiled to machine code: what a start
 * runs, it runs once, on a CPU that it shares with the compiler.
 */
export const engineFlags = [
  "--compile",
  "--minify",
  "--keep-names",
  "--bytecode",
  "--format=cjs",
  "--compile-jit-policy=8",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/**
 * What an image starts the engine with, beside what Lambda sets: without the allocator's thread that gives memory back,
 * which is made before the first request, and serves nobody where the memory is the function's own. What is freed is
 * still given back, by who frees it.
 */
export const engineEnvironment: Readonly<Record<string, string>> = { MIMALLOC_SCAVENGER: "0" };

/**
 * The runtime client as one executable, compiled once for each state of its sources.
 * @throws CodedError `E_ENGINE_UNCOMPILABLE`, and what {@link verifyInstalledBun}, {@link findBunExecutable} and
 * {@link hardenExecutable} throw
 */
export async function compileEngine(architecture: Architecture): Promise<CompiledEngine> {
  await verifyInstalledBun();
  const directory = join(projectRoot, "dist/engine", `${architecture}-${await hashSources()}`);
  const known = await findCompiled(architecture, directory);
  if (known !== undefined) return known;
  await mkdir(join(directory, ".."), { recursive: true });
  const part = await mkdtemp(`${directory}.`);
  try {
    const base = join(part, "bun");
    await writeFile(base, hardenExecutable(await readFile(await findBunExecutable(architecture))), {
      mode: 0o755,
    });
    await compile(architecture, base, join(part, "engine"));
    await rm(base);
    const sha256 = createHash("sha256").update(await readFile(join(part, "engine")));
    await writeFile(join(part, "sha256"), sha256.digest("hex"));
    await rename(part, directory);
    await keepNewest(join(directory, ".."), keptEngines);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    // Another build has compiled the same meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
  }
  const compiled = await findCompiled(architecture, directory);
  if (compiled === undefined) throw new Error(`${directory} has vanished`);
  return compiled;
}

async function findCompiled(
  architecture: Architecture,
  directory: string,
): Promise<CompiledEngine | undefined> {
  try {
    const sha256 = await readFile(join(directory, "sha256"), "utf8");
    return { architecture, path: join(directory, "engine"), sha256 };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Input and output always have the same names, so that the same sources give the same bytes. */
async function compile(architecture: Architecture, base: string, outfile: string): Promise<void> {
  const target = [`--target=${targets[architecture]}`, `--compile-executable-path=${base}`];
  try {
    await run(bunPath, ["build", "src/main.ts", ...engineFlags, ...target, `--outfile=${outfile}`], {
      cwd: projectRoot,
    });
  } catch (cause) {
    throw new CodedError({
      code: "E_ENGINE_UNCOMPILABLE",
      what: "Bun could not compile the engine",
      value: cause instanceof Error && "stderr" in cause ? cause.stderr : architecture,
      remedy: "Mend what Bun says.",
      cause,
    });
  }
}

/** Everything that the executable is made from: the sources, how they are compiled, and Bun's version. */
async function hashSources(): Promise<string> {
  const hash = createHash("sha256").update(bunVersion);
  const source = join(projectRoot, "src");
  const names = (await readdir(source, { recursive: true })).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("testing/"),
  );
  for (const name of names.sort()) hash.update(name).update(await readFile(join(source, name)));
  return hash.digest("hex").slice(0, 16);
}
