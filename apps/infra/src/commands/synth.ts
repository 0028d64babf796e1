import { join } from "node:path";
import { type Published, resolveAllPublished } from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import { buildInfraApp } from "../infra-app.ts";
import {
  buildClients,
  chooseFunctions,
  findAccount,
  outputDirectory,
  prepareImage,
  type Surroundings,
} from "../surroundings.ts";

/** Writes the assembly of some functions, with what is published for each. Gives its folder. */
export async function writeAssembly(
  surroundings: Surroundings,
  functions: readonly { readonly fn: FunctionOnStage; readonly published: Published }[],
  name: string,
): Promise<string> {
  const account = await findAccount(surroundings);
  const images = functions.map(async ({ fn, published }) => ({
    fn,
    image: await prepareImage(surroundings, fn, published),
  }));
  const outdir = join(outputDirectory, "assemblies", name);
  buildInfraApp({
    account,
    region: surroundings.region,
    functions: await Promise.all(images),
    outdir,
  }).synth();
  return outdir;
}

/** Reads what is published and writes the assembly. */
export async function synth(surroundings: Surroundings, only?: string): Promise<string> {
  const fns = chooseFunctions(surroundings, only);
  const published = await resolveAllPublished(buildClients(surroundings), fns);
  const functions = fns.flatMap((fn, index) => {
    const resolved = published[index];
    return resolved === undefined ? [] : [{ fn, published: resolved }];
  });
  return writeAssembly(surroundings, functions, `${only ?? "all"}-${surroundings.stage.name}`);
}
