import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImageContext } from "@workspace/docker";
import { bunPath, engineEnvironment, engineFlags } from "@workspace/lambda-runtime/compile";
import { parseHostArchitecture } from "@workspace/shared-config";

export const apps = ["echo", "deps"] as const;
export type App = (typeof apps)[number];

/** How an app is bundled, and where it lies in the app's folder when it is. */
const bundles = { bytecode: "image/app", plain: "plain", node: "node" } as const;
type Bundle = keyof typeof bundles;

/** One way to run a function. */
export interface Candidate {
  readonly name: string;
  /** How it is started for an app. */
  readonly start: (app: App) => { readonly argv: readonly string[]; readonly taskRoot: string };
  /** Of the process, beside what Lambda sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it is compared in. @default all */
  readonly apps?: readonly App[];
}

const here = import.meta.dirname;
const dist = join(here, "../dist/runtime");
const modules = join(here, "../node_modules");
const engineSource = join(here, "../../libs/lambda-runtime/src");
const engineEntry = join(engineSource, "main.ts");

/** Builds everything that is compared, and the Runtime API that measures it. */
export async function buildCandidates(): Promise<{ candidates: Candidate[]; runtimeApi: string }> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const runtimeApi = compileC("runtime-api");
  const floor = compileC("floor");
  for (const app of apps) await buildApp(app);
  const locateTask = placeTasks();
  const bun = placeProgram("bun", bunPath);
  const engine = placeProgram("engine", join(dist, "echo/image/engine"));
  mkdirSync(join(dist, "runtimes"), { recursive: true });
  bundle(engineEntry, join(dist, "runtimes/bytecode"), ["--bytecode"]);
  bundle(engineEntry, join(dist, "runtimes/plain"), []);
  bundle(join(here, "fetch-runtime.ts"), join(dist, "runtimes/fetch"), ["--format=esm"]);

  const candidates: Candidate[] = [
    {
      name: "engine",
      environment: engineEnvironment,
      start: (app) => ({ argv: [engine], taskRoot: locateTask(app, "bytecode") }),
    },
    {
      name: "compiled",
      environment: engineEnvironment,
      start: (app) => ({
        argv: [locateProgram(`compiled-${app}`)],
        taskRoot: locateTask(app, "plain"),
      }),
    },
    onBun(bun, "bun + .jsc", "bytecode", (app) => locateTask(app, "bytecode")),
    onBun(bun, "bun", "plain", (app) => locateTask(app, "plain")),
    onBun(bun, "bun + fetch", "fetch", (app) => locateTask(app, "plain")),
    ...[20, 22, 24].map((version) => onNode(version, (app) => locateTask(app, "node"))),
  ];
  candidates.push({ name: "C floor", start: () => ({ argv: [floor], taskRoot: dist }), apps: ["echo"] });
  return { candidates, runtimeApi };
}

async function buildApp(app: App): Promise<void> {
  const appEntry = join(here, "apps", `${app}.ts`);
  const architecture = parseHostArchitecture(process.arch);
  await buildImageContext({ appEntry, architecture, outDir: join(dist, app, "image") });
  bundle(appEntry, join(dist, app, "plain"), []);
  bundle(appEntry, join(dist, app, "node"), ["--target=node"]);
  // As it stands beside a function on Lambda; without it the benchmark's own would count.
  writeFileSync(join(dist, app, "node/package.json"), '{ "type": "commonjs" }\n');
  compileWithEngine(appEntry, join(dist, app));
  placeProgram(`compiled-${app}`, join(dist, app, "compiled"));
}

/** Engine and app in one executable, which is the fastest that Bun can do: what loads the app names it. */
function compileWithEngine(appEntry: string, outDir: string): void {
  const source = join(outDir, "engine-with-app");
  cpSync(engineSource, source, { recursive: true });
  const loader = join(source, "handler/load-handler.ts");
  const [before, after, ...more] = readFileSync(loader, "utf8").split("import(file)");
  if (after === undefined || more.length > 0) throw new Error(`${loader} does not load the app in one place`);
  writeFileSync(loader, `${before}import(${JSON.stringify(appEntry)})${after}`);
  runBun(["build", join(source, "main.ts"), ...engineFlags, `--outfile=${join(outDir, "compiled")}`]);
}

/**
 * Copies a program to where it is started from. A program that was written at once starts up to 2 ms sooner than one
 * that was written in pieces, since its pages lie in larger parts of the page cache; so all are written alike.
 */
function placeProgram(name: string, program: string): string {
  const placed = locateProgram(name);
  mkdirSync(join(dist, "programs"), { recursive: true });
  copyFileSync(program, placed);
  return placed;
}

/**
 * Copies the apps to folders that lie two deep, as /var/task does: who loads one looks through all that it lies in.
 * @returns where an app lies
 */
function placeTasks(): (app: App, bundle: Bundle) => string {
  const parent = mkdtempSync(join(tmpdir(), "bench-runtime-"));
  process.on("exit", () => rmSync(parent, { recursive: true, force: true }));
  const locate = (app: App, bundle: Bundle) => join(parent, `${app}-${bundle}`);
  for (const app of apps) {
    for (const [bundle, folder] of Object.entries(bundles))
      cpSync(join(dist, app, folder), locate(app, bundle as Bundle), { recursive: true });
  }
  return locate;
}

function bundle(entry: string, outDir: string, more: readonly string[]): void {
  const flags = ["--target=bun", "--format=cjs", "--minify", "--entry-naming=app.js"];
  runBun(["build", entry, ...flags, ...more, `--outdir=${outDir}`]);
}

function runBun(argv: readonly string[]): void {
  execFileSync(bunPath, argv, { stdio: ["ignore", "ignore", "inherit"] });
}

function onBun(bun: string, name: string, runtime: string, locate: (app: App) => string): Candidate {
  const argv = [bun, join(dist, "runtimes", runtime, "app.js")];
  return { name, start: (app) => ({ argv, taskRoot: locate(app) }) };
}

function onNode(version: number, locate: (app: App) => string): Candidate {
  const node = placeProgram(`node-${version}`, join(modules, `node-${version}/bin/node`));
  const argv = [node, join(modules, "aws-lambda-ric/index.mjs"), "app.handler"];
  return { name: `node ${version} + ric`, start: (app) => ({ argv, taskRoot: locate(app) }) };
}

function locateProgram(name: string): string {
  return join(dist, "programs", name);
}

/** @returns path of the program that a C file of this folder becomes */
function compileC(name: string): string {
  const program = join(dist, name);
  try {
    execFileSync("cc", ["-O2", "-o", program, join(here, `${name}.c`)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw new Error("there is no `cc` on this machine: install a C compiler, which times are taken with");
  }
  return program;
}
