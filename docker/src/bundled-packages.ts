import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

export interface NpmPackage {
  /** `@scope/name` */
  readonly name: string;
  readonly version: string;
  /** SPDX; `undefined` where the package doesn't say. */
  readonly license: string | undefined;
}

/** The part of Bun's metafile that is looked at. @see https://bun.com/docs/bundler#metafile */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

/**
 * The npm packages of which something is in a bundle, by name.
 * @param metafile path of what the bundler says of the bundle
 * @param directory that the bundler worked in: the metafile's paths are relative to it
 */
export async function readBundledPackages(metafile: string, directory: string): Promise<NpmPackage[]> {
  const found = listPackageDirectories(JSON.parse(await readFile(metafile, "utf8")));
  const packages = await Promise.all(found.map((path) => readPackage(resolve(directory, path))));
  return packages.sort((a, b) => compare(`${a.name}@${a.version}`, `${b.name}@${b.version}`));
}

/** `…/node_modules/@scope/name`, for each package that gave the bundle at least a byte. */
function listPackageDirectories({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const directories = inputs.flatMap(([path, { bytesInOutput }]) => {
    const [directory] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [];
    return directory === undefined || bytesInOutput === 0 ? [] : [directory];
  });
  return [...new Set(directories)];
}

async function readPackage(directory: string): Promise<NpmPackage> {
  const { name, version, license } = JSON.parse(await readFile(resolve(directory, "package.json"), "utf8"));
  return { name, version, license: typeof license === "string" ? license : undefined };
}

/** By code unit, as everywhere: a locale would make another text of the same content. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
