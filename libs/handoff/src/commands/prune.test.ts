import { PublishVersionCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { systemClock } from "../clock.ts";
import { unlock } from "../lease/lease.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { planPrune, prune } from "./prune.ts";

const dev = parseFunction("lambda-app", stages.dev, "x86_64");
/** Functions that share nothing with each other. */
const newFunction = (name: string) => ({
  ...dev,
  functionName: name,
  repositoryName: name,
  imageTagParameter: `/${name}/image-tag`,
  leaseParameter: `/${name}/lease`,
  stackName: name,
});
type TestFunction = ReturnType<typeof newFunction>;

let localAws: LocalAws;
/** Those of whoever else looks at the function, and changes it. */
let clients: HandoffClients;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
});
afterAll(() => localAws?.close());

const tag = "0a1b2c3d4e5f";
const oldImage = { architecture: "amd64", tag };

/** A function whose version 2 may go, and nothing else. */
async function addOldVersion(fn: TestFunction) {
  await createLiveFunction(clients, fn, await pushImage(clients, fn, oldImage));
  const { functionName: FunctionName } = fn;
  await clients.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
  await clients.lambda.send(new PublishVersionCommand({ FunctionName }));
}

/** What would go now: `2`, `sha256:…` */
async function listRemovable(fn: TestFunction): Promise<string[]> {
  const { versions, images } = await planPrune(clients, fn);
  const all = [
    ...versions.map(({ item, reasons }) => ({ name: item.version, reasons })),
    ...images.map(({ item, reasons }) => ({ name: item.digest, reasons })),
  ];
  return all.filter(({ reasons }) => reasons.length === 0).map(({ name }) => name);
}

/** Prunes, while something else happens between its two looks at what there is. */
function pruneWhile(fn: TestFunction, happens: () => Promise<unknown>) {
  const wait: HandoffClients["clock"]["wait"] = async (ms, signal) => {
    if (ms > 3_000) return systemClock.wait(ms, signal);
    await happens();
  };
  return prune({ ...localAws.buildClients(), clock: { ...systemClock, wait } }, fn, {});
}

describe("prune", () => {
  it.each([
    ["version", addOldVersion],
    ["image", (fn: TestFunction) => pushImage(clients, fn, oldImage)],
  ])("deletes the %s that nothing needs, but not once the lease is lost", async (kind, addOld) => {
    const fn = newFunction(`old-${kind}`);
    await addOld(fn);
    const old = await listRemovable(fn);
    expect(old).toHaveLength(1);
    const lost = pruneWhile(fn, () => unlock(clients, fn));
    await expect(lost).rejects.toMatchObject({ code: "E_LEASE_LOST" });
    expect(await listRemovable(fn)).toEqual(old);

    await pruneWhile(fn, async () => {});
    expect(await listRemovable(fn)).toEqual([]);
  });

  it("keeps an image whose tag shows as published only at the second look", async () => {
    const fn = newFunction("published-late");
    const digest = await pushImage(clients, fn, oldImage);
    expect(await listRemovable(fn)).toEqual([digest]);
    const publish = new PutParameterCommand({ Name: fn.imageTagParameter, Value: tag, Type: "String" });
    const { images } = await pruneWhile(fn, () => clients.ssm.send(publish));
    expect(images.map(({ item }) => item.digest)).toEqual([digest]);
    expect((await planPrune(clients, fn)).images).toHaveLength(1);
  });
});
