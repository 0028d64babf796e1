import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { buildHandoffClients, type HandoffClients, requestTimeoutMs } from "../clients.ts";
import type { Clock } from "../clock.ts";
import { buildAwsError } from "../testing/intercept.ts";
import { createParameterStore } from "../testing/parameter-store.ts";
import { createSteppedClock } from "../testing/stepped-clock.ts";
import { type Lease, readLeaseHolder, withLease } from "./lease.ts";
import { leaseTerms } from "./lease-terms.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const { ttlMs, heartbeatMs, marginMs } = leaseTerms;
const lost = { code: "E_LEASE_LOST", exitCode: 4 };

/** A run of a command that goes on for ever, on a clock that stands still. */
async function hold({ answerMs = 0 } = {}) {
  const clock = createSteppedClock();
  const store = createParameterStore();
  const newRun = (): HandoffClients => {
    const clients = { ...buildHandoffClients({ region: stages.dev.region }), clock };
    clients.ssm.send = store;
    return { ...clients, isProvenDead: () => false };
  };
  /** What becomes of a write of the run that holds the lease. */
  const network = { put: answerAfter(clock, answerMs) };
  const clients = newRun();
  clients.ssm.send = (command: object) =>
    command instanceof PutParameterCommand ? network.put(() => store(command)) : store(command);
  const held = new Promise<Lease>((resolve, reject) => {
    const work = (lease: Lease) => new Promise(() => resolve(lease));
    withLease(clients, fn, { command: "release" }, work).catch(reject);
  });
  await clock.advance(answerMs);
  return { clock, network, newRun, lease: await held };
}

type Put = (send: () => Promise<object>) => Promise<object>;
/** Carried out at once, and answered so much later. */
const answerAfter =
  (clock: Clock, answerMs: number): Put =>
  (send) =>
    send().finally(() => clock.wait(answerMs));
const hang: Put = () => new Promise(() => {});
const fail =
  (name: string): Put =>
  () =>
    Promise.reject(buildAwsError(name));

describe("the owner's own clock", () => {
  it("ends a lease whose renewals hang, early enough for a request that has just left", async () => {
    const { clock, network, lease } = await hold();
    network.put = hang;
    await clock.advance(ttlMs - marginMs - 1);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(marginMs - requestTimeoutMs);
    expect(lease.signal.reason).toMatchObject(lost);
  });

  it("counts from before the request that took the lease was sent", async () => {
    const answerMs = 3_000;
    const { clock, network, lease } = await hold({ answerMs });
    network.put = fail("AccessDeniedException");
    await clock.advance(ttlMs - marginMs - answerMs - 1);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(lease.signal.reason).toMatchObject(lost);
  });

  it("counts from before the last renewal was sent", async () => {
    const { clock, network, lease } = await hold();
    const answerMs = 3_000;
    network.put = answerAfter(clock, answerMs);
    await clock.advance(heartbeatMs + answerMs);
    network.put = fail("AccessDeniedException");
    await clock.advance(ttlMs - marginMs - answerMs - 1);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(lease.signal.reason).toMatchObject(lost);
  });
});

describe("a renewal", () => {
  it("keeps the lease for as long as the work takes", async () => {
    const { clock, lease } = await hold();
    await clock.advance(10 * ttlMs);
    expect(lease.signal.aborted).toBe(false);
    await lease.check();
  });

  it("that was not written does not prolong the lease, though it is still this owner's", async () => {
    const { clock, network, lease, newRun } = await hold();
    network.put = fail("TooManyUpdates");
    await clock.advance(ttlMs - marginMs);
    expect(await readLeaseHolder(newRun(), fn)).toMatchObject({ command: "release" });
    expect(lease.signal.reason).toMatchObject(lost);
  });

  it("that finds another owner ends the work at once", async () => {
    const { clock, lease, newRun } = await hold();
    const second = { ...newRun(), isProvenDead: () => true };
    await withLease(second, fn, { command: "deploy" }, async () => {
      await clock.advance(heartbeatMs);
      expect(lease.signal.reason).toMatchObject({ ...lost, value: { command: "deploy" } });
    });
  });
});
