import { PutParameterCommand, type PutParameterCommandInput } from "@aws-sdk/client-ssm";
import { exitCodes, parseFunction, parseImageTag, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import type { Digest } from "../images/images.ts";
import { withLease } from "../lease/lease.ts";
import { readPublishedTag } from "../published/published-tag.ts";
import { buildAwsError, intercept } from "../testing/intercept.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { requireConfiguration, requireLiveAlias } from "./function-state.ts";
import { makeLive } from "./make-live.ts";
import { publishLive } from "./publish-live.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const tag = parseImageTag("0a1b2c3d4e5f");

let localAws: LocalAws;
let clients: HandoffClients;
let oldDigest: Digest;
let digest: Digest;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
  oldDigest = await pushImage(clients, fn, { architecture: "amd64", tag: "ffffffffffff" });
  digest = await pushImage(clients, fn, { architecture: "amd64", tag, author: "new" });
  await createLiveFunction(clients, fn, oldDigest);
});
afterAll(() => localAws?.close());

function makeLiveAndPublish(through: HandoffClients): Promise<void> {
  return withLease(through, fn, { command: "release" }, async (lease) => {
    const live = await makeLive(through, fn, lease, { digest });
    await publishLive(through, fn, lease, { tag, publisher: "release", live, onProgress: () => {} });
  });
}

async function readState() {
  const { version, weights } = await requireLiveAlias(clients, fn);
  const live = await requireConfiguration(clients, fn, version);
  const latest = await requireConfiguration(clients, fn, "$LATEST");
  return {
    live: live.digest,
    weights,
    latest: latest.digest,
    published: await readPublishedTag(clients, fn),
  };
}

it("takes the traffic and the code back where the tag can't be published", async () => {
  const through = localAws.buildClients();
  intercept(through.ssm, PutParameterCommand, (send, { Name }: PutParameterCommandInput) =>
    Name === fn.imageTagParameter ? Promise.reject(buildAwsError("AccessDeniedException")) : send(),
  );
  await expect(makeLiveAndPublish(through)).rejects.toMatchObject({
    value: expect.stringContaining("AccessDeniedException"),
    exitCode: exitCodes.rolledBack,
  });
  expect(await readState()).toEqual({
    live: oldDigest,
    weights: {},
    latest: oldDigest,
    published: undefined,
  });
});

it("leaves live what is published, though its answer got lost", async () => {
  const through = localAws.buildClients();
  intercept(through.ssm, PutParameterCommand, async (send, { Name }: PutParameterCommandInput) => {
    const answer = await send();
    if (Name === fn.imageTagParameter) throw buildAwsError("TimeoutError");
    return answer;
  });
  await makeLiveAndPublish(through);
  expect(await readState()).toEqual({ live: digest, weights: {}, latest: digest, published: tag });
});
