import { requestTimeoutMs } from "../clients.ts";

/** The times of a lease, in milliseconds. */
export interface LeaseTerms {
  /** A waiter takes over when the entry hasn't changed for so long by its own clock. */
  readonly ttlMs: number;
  /** How often the owner renews. */
  readonly heartbeatMs: number;
  /** So long before the end of `ttlMs` the owner itself stops; longer than a request can take. */
  readonly marginMs: number;
  /** How often a waiter looks. */
  readonly pollMs: number;
  /** After so long a waiter gives up. */
  readonly maxWaitMs: number;
}

export const leaseTerms: LeaseTerms = {
  ttlMs: 45_000,
  heartbeatMs: 10_000,
  marginMs: requestTimeoutMs + 4_000,
  pollMs: 2_000,
  maxWaitMs: 15 * 60_000,
};
