import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { execa } from "execa";
import type { NpmPackage } from "./sbom.ts";

/** The part of Bun's metafile that is looked at. @see https://bun.com/docs/bundler#metafile */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

/** The npm packages of which something is in the app's bundle, by name. */
export async function findBundledPackages(bun: string, entry: string): Promise<NpmPackage[]> {
  const outDir = await mkdtemp(join(tmpdir(), "bundled-packages-"));
  try {
    const metafile = join(outDir, "meta.json");
    const argv = ["build", basename(entry), "--target=bun", `--outdir=${outDir}`, `--metafile=${metafile}`];
    await execa(bun, argv, { cwd: dirname(entry) });
    const directories = listPackageDirectories(JSON.parse(await readFile(metafile, "utf8")));
    const packages = await Promise.all(
      directories.map((directory) => readPackage(resolve(dirname(entry), directory))),
    );
    return packages.sort((a, b) => compare(`${a.name}@${a.version}`, `${b.name}@${b.version}`));
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}

/** `…/node_modules/@scope/name`, for each package that gave the bundle at least a byte. */
export function listPackageDirectories({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const directories = inputs.flatMap(([path, { bytesInOutput }]) => {
    const [directory] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
    return directory === undefined || bytesInOutput === 0 ? [] : [directory];
  });
  return [...new Set(directories)];
}

async function readPackage(directory: string): Promise<NpmPackage> {
  const { name, version, license } = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
  return { name, version, license: typeof license === "string" ? license : undefined };
}

/** By code unit, as everywhere: a locale would make another text of the same content. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
