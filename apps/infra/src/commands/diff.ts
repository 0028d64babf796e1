import { buildDiffArgv, runCdk } from "../cdk-cli.ts";
import type { Surroundings } from "../surroundings.ts";
import { synth } from "./synth.ts";

/** What a deploy now would change, as the CDK CLI tells it. */
export async function diff(surroundings: Surroundings, only?: string): Promise<void> {
  const assembly = await synth(surroundings, only);
  await runCdk(buildDiffArgv(assembly), { onLine: surroundings.onDetail, signal: surroundings.signal });
}
