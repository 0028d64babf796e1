import { buildDiffArgv, runCdk } from "../cdk-cli.ts";
import type { Surroundings } from "../surroundings.ts";
import { synth } from "./synth.ts";

/** What a deploy now would change in the stacks, as the CDK CLI tells it. Moves nothing, and takes no lease. */
export async function diff(surroundings: Surroundings, only?: string): Promise<string> {
  const assembly = await synth(surroundings, only);
  return runCdk(buildDiffArgv(assembly), { onLine: () => {}, signal: surroundings.signal });
}
