import { DeleteParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import type { Progress } from "../progress.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { readLeaseHolder, unlock, withLease } from "./lease.ts";
import { leaseTerms } from "./lease-terms.ts";

let localAws: LocalAws;
beforeAll(async () => {
  localAws = await openLocalAws();
});
afterAll(() => localAws?.close());

const dev = parseFunction("lambda-app", stages.dev, "x86_64");
let tests = 0;
/** Each test has a lease of its own. */
const newFunction = () => ({ ...dev, leaseParameter: `/test-${++tests}/lease` });

/** Another run of a command, whose death nobody can prove. */
function newRun(): HandoffClients {
  return { ...localAws.buildClients(), isProvenDead: () => false };
}

/** The next requests of a kind are answered with an error, and all others by the service. */
function failNext(clients: HandoffClients, command: string, error: string, times: number): void {
  let left = times;
  clients.ssm.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== command || left === 0) return next(args);
        left -= 1;
        throw Object.assign(new Error(error), { name: error });
      },
    { step: "initialize" },
  );
}

const impatient = { ...leaseTerms, maxWaitMs: 0 };
const eager = { ...leaseTerms, pollMs: 20 };
const held = { code: "E_LEASE_HELD", exitCode: 4 };
const lost = { code: "E_LEASE_LOST", exitCode: 4 };

describe("withLease", () => {
  it("gives the work's value, and frees the lease after it", async () => {
    const fn = newFunction();
    const value = await withLease(newRun(), fn, { command: "release" }, async (lease) => {
      await lease.check();
      expect(await readLeaseHolder(newRun(), fn)).toMatchObject({ command: "release", pid: process.pid });
      return lease.guard(async () => 7);
    });
    expect(value).toBe(7);
    expect(await readLeaseHolder(newRun(), fn)).toBeUndefined();
  });

  it("frees the lease where the work fails, with the work's own error", async () => {
    const fn = newFunction();
    const work = withLease(newRun(), fn, { command: "release" }, async () => {
      throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    expect(await readLeaseHolder(newRun(), fn)).toBeUndefined();
  });

  it("refuses a second one after its longest wait, and says who holds it", async () => {
    const fn = newFunction();
    await withLease(newRun(), fn, { command: "deploy" }, async () => {
      const second = withLease(newRun(), fn, { command: "release", terms: impatient }, async () => {});
      await expect(second).rejects.toMatchObject({ ...held, value: { command: "deploy" } });
    });
  });

  it("lets one work at a time, and tells the others whom they wait for", async () => {
    const fn = newFunction();
    const waited: Progress[] = [];
    let inside = 0;
    let most = 0;
    const runs = Array.from({ length: 5 }, (_, index) =>
      withLease(
        newRun(),
        fn,
        { command: `release ${index}`, terms: eager, onProgress: (progress) => waited.push(progress) },
        async (lease) => {
          most = Math.max(most, ++inside);
          await lease.check();
          await lease.check();
          inside -= 1;
        },
      ),
    );
    await Promise.all(runs);
    expect(most).toBe(1);
    expect(waited.map(({ kind }) => kind)).toContain("waitingForLease");
    expect(waited.map(({ kind }) => kind)).not.toContain("warning");
  });

  it("takes over at once from a process that is proven dead, and from then on the old owner is refused", async () => {
    const fn = newFunction();
    const old = withLease(newRun(), fn, { command: "old" }, async (oldLease) => {
      const second = { ...newRun(), isProvenDead: () => true };
      await withLease(second, fn, { command: "new", terms: impatient }, async (lease) => {
        await expect(oldLease.check()).rejects.toMatchObject({ ...lost, value: { command: "new" } });
        expect(oldLease.signal.aborted).toBe(true);
        await lease.check();
      });
      await oldLease.guard(async () => expect.unreachable());
    });
    await expect(old).rejects.toMatchObject(lost);
    expect(await readLeaseHolder(newRun(), fn)).toBeUndefined();
  });

  it("is not lost where a read does not show it yet", async () => {
    const fn = newFunction();
    const clients = newRun();
    await withLease(clients, fn, { command: "release" }, async (lease) => {
      failNext(clients, "GetParameterCommand", "ParameterNotFound", 2);
      await lease.check();
      expect(lease.signal.aborted).toBe(false);
    });
  });

  it("is asked for again where somebody else writes at the same moment", async () => {
    const fn = newFunction();
    const clients = newRun();
    failNext(clients, "PutParameterCommand", "TooManyUpdates", 2);
    expect(await withLease(clients, fn, { command: "release", terms: impatient }, async () => 7)).toBe(7);
    expect(await readLeaseHolder(clients, fn)).toBeUndefined();
  });

  it("is not freed once it was lost: a request on its way may still be carried out", async () => {
    const fn = newFunction();
    const clients = newRun();
    const terms = { ...leaseTerms, ttlMs: leaseTerms.marginMs + 200, heartbeatMs: 60_000 };
    const work = withLease(clients, fn, { command: "release", terms }, (lease) =>
      lease.guard(({ abortSignal }) => clients.clock.wait(10_000, abortSignal)).then(() => lease.check()),
    );
    await expect(work).rejects.toMatchObject(lost);
    expect(await readLeaseHolder(clients, fn)).toMatchObject({ command: "release" });
  });

  it("is lost once somebody deletes the parameter by hand", async () => {
    const fn = newFunction();
    const clients = newRun();
    await withLease(clients, fn, { command: "release" }, async (lease) => {
      await clients.ssm.send(new DeleteParameterCommand({ Name: fn.leaseParameter }));
      await expect(lease.check()).rejects.toMatchObject(lost);
    });
    await withLease(clients, fn, { command: "release", terms: impatient }, (lease) => lease.check());
  });

  it("refuses a malformed parameter, and unlock mends it", async () => {
    const fn = newFunction();
    const clients = newRun();
    const put = new PutParameterCommand({ Name: fn.leaseParameter, Value: "locked by Ann", Type: "String" });
    await clients.ssm.send(put);
    const work = () => withLease(clients, fn, { command: "release", terms: impatient }, async () => "done");
    await expect(work()).rejects.toMatchObject({ code: "E_LEASE_MALFORMED", value: "locked by Ann" });
    expect(await unlock(clients, fn)).toEqual({ broke: "malformed" });
    expect(await work()).toBe("done");
  });
});

describe("unlock", () => {
  it("breaks a lease: its holder moves nothing more, and another command gets it", async () => {
    const fn = newFunction();
    await withLease(newRun(), fn, { command: "release" }, async (lease) => {
      expect(await unlock(newRun(), fn)).toMatchObject({ broke: { command: "release" } });
      await withLease(newRun(), fn, { command: "deploy", terms: impatient }, (other) => other.check());
      await expect(lease.guard(async () => expect.unreachable())).rejects.toMatchObject(lost);
    });
  });

  it("has nothing to do where nobody holds it", async () => {
    const fn = newFunction();
    expect(await unlock(newRun(), fn)).toBeUndefined();
    await withLease(newRun(), fn, { command: "release" }, async () => {});
    expect(await unlock(newRun(), fn)).toBeUndefined();
  });
});
