import {
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { liveAlias, parseFunction, parseImageTag, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { findImage, requireRepositoryUri } from "../images/images.ts";
import { requireConfiguration, requireLiveAlias, waitUntilUpdated } from "../live/function-state.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { type ReleaseResult, releaseImage } from "./release.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const tag = parseImageTag("0a1b2c3d4e5f");

let localAws: LocalAws;
let clients: HandoffClients;
/** The content of the images that were built, in order. */
const built: string[] = [];
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
  const placeholder = await pushImage(clients, fn, { architecture: "amd64", tag: "initial" });
  await createLiveFunction(clients, fn, placeholder);
});
afterAll(() => localAws?.close());

/** @param content two images of the same are one. @default "one" */
function release(content = "one"): Promise<ReleaseResult> {
  return releaseImage(clients, fn, {
    tag,
    contentTag: `content-${content}`,
    push: async ({ contentTag }) => {
      built.push(content);
      await pushImage(clients, fn, { architecture: "amd64", tag: contentTag, author: content });
    },
  });
}

it("moves nothing where the image is live and published with the settings that it has", async () => {
  expect(await release()).toMatchObject({ kind: "released", image: "push", live: { version: "2" } });
  expect(await release()).toMatchObject({ kind: "unchanged", image: "none", live: undefined });
  expect(built).toEqual(["one"]);
});

it("makes the image live again where traffic or code went elsewhere by hand", async () => {
  const { functionName: FunctionName } = fn;
  const { digest } = await release();
  await clients.lambda.send(new UpdateAliasCommand({ FunctionName, Name: liveAlias, FunctionVersion: "1" }));
  expect(await release()).toMatchObject({ kind: "released", live: { kind: "moved", version: "2" } });

  const ImageUri = `${await requireRepositoryUri(clients, fn)}:initial`;
  await clients.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri }));
  await waitUntilUpdated(clients, fn);
  expect(await release()).toMatchObject({ kind: "released", live: { kind: "unchanged", version: "2" } });
  expect(await requireConfiguration(clients, fn, "$LATEST")).toMatchObject({ digest });
});

it("makes settings live that were deployed since", async () => {
  await clients.lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: fn.functionName, MemorySize: 512 }),
  );
  await waitUntilUpdated(clients, fn);
  expect(await release()).toMatchObject({ kind: "released", image: "none", live: { version: "3" } });
  const { settings } = await requireConfiguration(clients, fn, liveAlias);
  expect(settings.MemorySize).toBe(512);
});

it("gives all traffic to the image, where a canary has left a part of it elsewhere", async () => {
  await clients.lambda.send(
    new UpdateAliasCommand({
      FunctionName: fn.functionName,
      Name: liveAlias,
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.1 } },
    }),
  );
  expect(await release()).toMatchObject({ kind: "released" });
  expect(await requireLiveAlias(clients, fn)).toMatchObject({ version: "3", weights: {} });
});

it("builds nothing for a tag that another image has", async () => {
  const taken = await findImage(clients, fn, tag);
  await expect(release("two")).rejects.toMatchObject({ code: "E_TAG_TAKEN", value: taken?.digest });
  expect(built).toEqual(["one"]);
});
