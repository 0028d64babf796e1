import { CodedError, exitCodes, type FunctionOnStage } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import type { OnProgress } from "../progress.ts";
import { findHolder, type LeaseHolder, type LeaseState } from "./lease-log.ts";
import { isEffective, type LeaseDraft, readLease, readNewest, writeEntry } from "./lease-register.ts";
import { type LeaseTerms, leaseTerms } from "./lease-terms.ts";

/** The right to move one function on one stage, as long as it lasts. */
export interface Lease {
  /** Aborts once the lease is lost, or can't be known to last any longer; its reason is the `E_LEASE_LOST`. */
  readonly signal: AbortSignal;
  /** Reads again who holds the lease. @throws CodedError `E_LEASE_LOST` */
  check(): Promise<void>;
  /**
   * Checks, then sends; the request is given up once the lease is lost. Everything that moves something goes
   * through here. @throws CodedError `E_LEASE_LOST`
   */
  guard<T>(send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T>;
}

export interface LeaseProps {
  /** What people see while they wait: `release 0a1b2c3d4e5f`. */
  readonly command: string;
  readonly onProgress?: OnProgress | undefined;
  /** @default leaseTerms */
  readonly terms?: LeaseTerms | undefined;
}

/**
 * Does the work while holding the function's lease, and frees it after, however the work ends.
 * @throws CodedError `E_LEASE_HELD` (exit code 4) when another command holds it for longer than `maxWaitMs`,
 * `E_LEASE_LOST` (exit code 4), `E_LEASE_MALFORMED`, `E_LEASE_READ_…`
 */
export async function withLease<T>(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { command, onProgress = () => {}, terms = leaseTerms }: LeaseProps,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const draft: LeaseDraft = {
    kind: "held",
    holder: {
      ...clients.self,
      nonce: clients.randomId(),
      command,
      since: new Date(clients.clock.epochMs()).toISOString(),
      ttlMs: terms.ttlMs,
    },
  };
  const acquired = await acquire(clients, fn, draft, terms, onProgress);
  const held = keep(clients, fn, draft, terms, acquired);
  try {
    return await work(held.lease);
  } finally {
    await held.free(onProgress);
  }
}

interface Acquired {
  readonly state: LeaseState;
  /** Before the request was sent that is known to have been carried out; by the monotonic clock. */
  readonly confirmedMs: number;
}

async function acquire(
  clients: HandoffClients,
  fn: FunctionOnStage,
  draft: LeaseDraft,
  terms: LeaseTerms,
  onProgress: OnProgress,
): Promise<Acquired> {
  const { clock } = clients;
  const startedMs = clock.monotonicMs();
  let watched: { readonly version: number; readonly sinceMs: number } | undefined;
  let state = await readLease(clients, fn);
  for (;;) {
    const nowMs = clock.monotonicMs();
    const holder = findHolder(state);
    const version = state.effective?.version ?? 0;
    if (watched?.version !== version) watched = { version, sinceMs: nowMs };
    const remainingMs = holder === undefined ? 0 : watched.sinceMs + holder.ttlMs - nowMs;

    if (holder === undefined || remainingMs <= 0 || clients.isProvenDead(holder)) {
      state = await writeEntry(clients, fn, state, draft);
      if (isEffective(state, draft)) return { state, confirmedMs: nowMs };
      continue;
    }
    if (nowMs - startedMs >= terms.maxWaitMs) throw buildHeldError(holder);
    onProgress({ kind: "waitingForLease", holder, remainingMs });
    await clock.wait(Math.min(terms.pollMs, remainingMs));
    state = await readLease(clients, fn);
  }
}

/** Renews the lease until it is freed, and knows when it no longer may be relied on. */
function keep(
  clients: HandoffClients,
  fn: FunctionOnStage,
  draft: LeaseDraft,
  terms: LeaseTerms,
  acquired: Acquired,
): { readonly lease: Lease; readonly free: (onProgress: OnProgress) => Promise<void> } {
  const { clock } = clients;
  const lost = new AbortController();
  const ended = new AbortController();
  let { state, confirmedMs } = acquired;
  let lastError: unknown;

  const lose = (holder: LeaseHolder | undefined) => {
    if (!lost.signal.aborted && !ended.signal.aborted) lost.abort(buildLostError(fn, holder, lastError));
  };
  const remainingMs = () => confirmedMs + terms.ttlMs - terms.marginMs - clock.monotonicMs();
  const refuseExpired = () => {
    if (remainingMs() <= 0) lose(undefined);
    lost.signal.throwIfAborted();
  };

  async function renew(): Promise<void> {
    const sentMs = clock.monotonicMs();
    const before = state.effective?.version ?? 0;
    try {
      state = await writeEntry(clients, fn, state, draft, ended.signal);
    } catch (error) {
      lastError = error;
      return;
    }
    if (!isEffective(state, draft)) return lose(findHolder(state));
    // Only another effective version makes a waiter start to count anew.
    if ((state.effective?.version ?? 0) > before) confirmedMs = sentMs;
  }
  async function heartbeat(): Promise<void> {
    while (!ended.signal.aborted && !lost.signal.aborted) {
      await clock.wait(terms.heartbeatMs, ended.signal);
      if (!ended.signal.aborted && !lost.signal.aborted) await renew();
    }
  }
  /** A renewal may hang; the owner's own clock doesn't. */
  async function watch(): Promise<void> {
    while (!ended.signal.aborted && !lost.signal.aborted) {
      await clock.wait(Math.max(remainingMs(), 1), ended.signal);
      if (remainingMs() <= 0) lose(undefined);
    }
  }
  const loops = Promise.all([heartbeat(), watch()]);

  const lease: Lease = {
    signal: lost.signal,
    async check() {
      refuseExpired();
      const found = await readLease(clients, fn, state.newestVersion);
      if (!isEffective(found, draft)) lose(findHolder(found));
      refuseExpired();
    },
    async guard(send) {
      await lease.check();
      try {
        return await send({ abortSignal: lost.signal });
      } catch (error) {
        lost.signal.throwIfAborted();
        throw error;
      }
    },
  };

  async function free(onProgress: OnProgress): Promise<void> {
    ended.abort();
    try {
      await loops;
      // A request that was given up with the lease may still be carried out: until then it keeps others away.
      if (lost.signal.aborted) return;
      const by = clients.self;
      for (let held = await readLease(clients, fn, state.newestVersion); isEffective(held, draft); ) {
        held = await writeEntry(clients, fn, held, { kind: "free", nonce: clients.randomId(), by });
      }
    } catch (error) {
      // What was to be done is done or has failed by itself; the lease ends by its time to live.
      const text = `the lease could not be freed and will expire in ${terms.ttlMs / 1000} s: ${error}`;
      onProgress({ kind: "warning", text });
    }
  }
  return { lease, free };
}

/**
 * Frees the lease, whoever holds it. The holder, if it still runs, stops at its next check.
 * @returns who held it, or `undefined` where nobody did
 */
export async function unlock(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<{ broke: LeaseHolder | "malformed" } | undefined> {
  let broke: LeaseHolder | "malformed" | undefined;
  let state: LeaseState;
  try {
    state = await readLease(clients, fn);
    broke = findHolder(state);
    if (broke === undefined) return undefined;
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== "E_LEASE_MALFORMED") throw error;
    const newest = await readNewest(clients, fn);
    state = { newestVersion: newest?.version ?? 0, effective: undefined };
    broke = "malformed";
  }
  const draft: LeaseDraft = { kind: "free", nonce: clients.randomId(), by: clients.self };
  do state = await writeEntry(clients, fn, state, draft);
  while (!isEffective(state, draft));
  return { broke };
}

/** Who holds the lease now, as far as the parameter says. @throws CodedError `E_LEASE_MALFORMED`, `E_LEASE_READ_…` */
export async function readLeaseHolder(
  clients: HandoffClients,
  fn: FunctionOnStage,
): Promise<LeaseHolder | undefined> {
  return findHolder(await readLease(clients, fn));
}

function buildHeldError({ command, user, host, pid, since }: LeaseHolder): CodedError {
  return new CodedError({
    code: "E_LEASE_HELD",
    what: "another command holds the lease and goes on renewing it",
    value: { command, user, host, pid, since },
    remedy: "Wait until it is done. If it can't be running any more, run `unlock`.",
    exitCode: exitCodes.leaseHeld,
  });
}

function buildLostError(fn: FunctionOnStage, holder: LeaseHolder | undefined, cause: unknown): CodedError {
  return new CodedError({
    code: "E_LEASE_LOST",
    what:
      holder === undefined
        ? `the lease ${fn.leaseParameter} could not be renewed in time, or was broken by unlock`
        : `the lease ${fn.leaseParameter} was taken over`,
    value: holder && { command: holder.command, user: holder.user, host: holder.host, pid: holder.pid },
    remedy: "Nothing more was moved. Run `status`, then run the command again.",
    ...(cause !== undefined && { cause }),
    exitCode: exitCodes.leaseHeld,
  });
}
