import type { ParameterVersion } from "./fake-ssm.ts";

/**
 * Who holds the lease, by the protocol's rule alone: an entry counts if it says that it was written after the version
 * just before its own. Written anew, so that the model doesn't ask the code that it judges.
 */
export function findEffectiveHolder(history: readonly ParameterVersion[]): string | undefined {
  for (const { Version, Value } of [...history].reverse()) {
    const entry = JSON.parse(Value) as { kind: string; basedOn: number; holder?: { nonce: string } };
    if (entry.basedOn === Version - 1) return entry.kind === "held" ? entry.holder?.nonce : undefined;
  }
  return undefined;
}
