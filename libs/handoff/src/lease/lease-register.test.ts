import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { readLeaseHolder } from "./lease.ts";
import type { LeaseEntry } from "./lease-log.ts";

let localAws: LocalAws;
beforeAll(async () => {
  localAws = await openLocalAws();
});
afterAll(() => localAws?.close());

const fn = parseFunction("lambda-app", stages.dev, "x86_64");

it("finds the holder behind a void entry on whichever page of the history it is", async () => {
  const clients = localAws.buildClients();
  const write = (entry: LeaseEntry) =>
    clients.ssm.send(
      new PutParameterCommand({
        Name: fn.leaseParameter,
        Type: "String",
        Value: JSON.stringify(entry),
        Overwrite: true,
      }),
    );
  const since = new Date().toISOString();
  const buildHeld = (basedOn: number): LeaseEntry => {
    const holder = {
      ...clients.self,
      nonce: `n${basedOn}`,
      command: `release ${basedOn + 1}`,
      since,
      ttlMs: 45_000,
    };
    return { kind: "held", basedOn, holder };
  };
  for (let version = 1; version <= 60; version += 1) await write(buildHeld(version - 1));
  // Lost its race: the holder of version 60 had written in between.
  await write(buildHeld(59));

  expect(await readLeaseHolder(clients, fn)).toMatchObject({ nonce: "n59" });
});
