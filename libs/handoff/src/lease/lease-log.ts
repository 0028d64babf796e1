import { CodedError } from "@workspace/shared-config";
import { z } from "zod";
import { processIdentitySchema } from "./process-identity.ts";

/**
 * The lease parameter as a log. Each version is an entry that says which version it was written after, so an entry
 * that lost a race says so itself and is void for every reader alike: with nothing but `PutParameter`, the
 * parameter becomes a register with compare-and-swap.
 */
const leaseHolderSchema = processIdentitySchema.extend({
  /** Unique per acquisition. */
  nonce: z.string(),
  command: z.string(),
  /** ISO time by the holder's clock: for people only. */
  since: z.string(),
  ttlMs: z.number().int().positive(),
});

const leaseEntrySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("held"), basedOn: z.number().int().min(0), holder: leaseHolderSchema }),
  z.object({
    kind: z.literal("free"),
    basedOn: z.number().int().min(0),
    nonce: z.string(),
    by: processIdentitySchema,
  }),
]);

export type LeaseHolder = z.infer<typeof leaseHolderSchema>;
export type LeaseEntry = z.infer<typeof leaseEntrySchema>;

/** One version of the parameter, as SSM gives it. */
export interface LeaseVersion {
  readonly version: number;
  readonly value: string;
}

/** The lease as every reader sees it. */
export interface LeaseState {
  /** Valid or void; the next entry is based on it. 0 where there is no parameter. */
  readonly newestVersion: number;
  /** The last valid entry; none where nobody has ever held the lease, or the parameter was deleted by hand. */
  readonly effective: { readonly entry: LeaseEntry; readonly version: number } | undefined;
}

export const noLease: LeaseState = { newestVersion: 0, effective: undefined };

/** `undefined` where the entry lost its race. @throws CodedError `E_LEASE_MALFORMED` */
export function findValidEntry({ version, value }: LeaseVersion, parameter: string): LeaseEntry | undefined {
  const entry = parseLeaseEntry(value);
  if (entry === undefined) {
    throw new CodedError({
      code: "E_LEASE_MALFORMED",
      what: `the lease in ${parameter} is not an entry that a command wrote`,
      value,
      remedy: "Make sure that no command runs, then run `unlock`, which writes a free entry over it.",
    });
  }
  return entry.basedOn === version - 1 ? entry : undefined;
}

/** The last valid entry of the history; entries that nobody can read count as void there. */
export function findEffective(history: readonly LeaseVersion[]): LeaseState["effective"] {
  return history
    .flatMap(({ version, value }) => {
      const entry = parseLeaseEntry(value);
      return entry?.basedOn === version - 1 ? [{ entry, version }] : [];
    })
    .sort((a, b) => a.version - b.version)
    .at(-1);
}

/** Which acquisition or which freeing wrote the entry. */
export function readNonce(entry: LeaseEntry): string {
  return entry.kind === "held" ? entry.holder.nonce : entry.nonce;
}

/** The holder's entry, where the lease is held. */
export function findHolder(state: LeaseState): LeaseHolder | undefined {
  return state.effective?.entry.kind === "held" ? state.effective.entry.holder : undefined;
}

function parseLeaseEntry(value: string): LeaseEntry | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return leaseEntrySchema.safeParse(parsed).data;
}
