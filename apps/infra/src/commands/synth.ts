import { join } from "node:path";
import { findCaller, resolveAllPublished } from "@workspace/handoff";
import { prepareImages, type ResolvedFunction } from "../deployed-images.ts";
import { buildInfraApp } from "../infra-app.ts";
import { buildClients, chooseFunctions, outputDirectory, type Surroundings } from "../surroundings.ts";

/**
 * Writes the assembly of some functions, with what is published for each. Gives its folder.
 * @param directory to put it into, beside what it is made from
 */
export async function writeAssembly(
  surroundings: Surroundings,
  functions: readonly ResolvedFunction[],
  directory: string,
): Promise<string> {
  const [{ account }, images] = await Promise.all([
    findCaller(surroundings.region),
    prepareImages(surroundings, functions, directory),
  ]);
  const outdir = join(directory, "cdk.out");
  buildInfraApp({ account, region: surroundings.region, functions: images, outdir }).synth();
  return outdir;
}

/** Reads what is published for functions, ten tags to a request. */
export async function resolveFunctions(
  surroundings: Surroundings,
  only?: string,
): Promise<ResolvedFunction[]> {
  const fns = chooseFunctions(surroundings, only);
  const published = await resolveAllPublished(buildClients(surroundings), fns);
  return fns.flatMap((fn, index) => {
    const resolved = published[index];
    return resolved === undefined ? [] : [{ fn, published: resolved }];
  });
}

/** Reads what is published and writes the assembly. */
export async function synth(surroundings: Surroundings, only?: string): Promise<string> {
  const functions = await resolveFunctions(surroundings, only);
  const name = `${only ?? "all"}-${surroundings.stage.name}`;
  return writeAssembly(surroundings, functions, join(outputDirectory, name));
}
