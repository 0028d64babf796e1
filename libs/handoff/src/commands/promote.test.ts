import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findLiveConfiguration } from "../live/function-state.ts";
import { readPublishedTag } from "../published/published-tag.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { promoteImage } from "./promote.ts";

let localAws: LocalAws;
beforeAll(async () => {
  localAws = await openLocalAws();
});
afterAll(() => localAws?.close());

const dev = parseFunction("lambda-app", stages.dev, "x86_64");
const prod = parseFunction("lambda-app", stages.prod, "x86_64");
const tag = "0a1b2c3d4e5f";
const image = { architecture: "amd64", tag };

it("refuses a copy that is another image, and makes nothing live", async () => {
  const clients = localAws.buildClients();
  const before = { ...image, tag: "111111111111", author: "the release before" };
  await createLiveFunction(clients, prod, await pushImage(clients, prod, before));
  await pushImage(clients, dev, image);
  const publish = new PutParameterCommand({ Name: dev.imageTagParameter, Value: tag, Type: "String" });
  await clients.ssm.send(publish);

  let copied = "";
  const promotion = promoteImage(
    { clients, fn: dev },
    { clients, fn: prod },
    {
      checkSource: async () => {},
      copyImage: async () => {
        copied = await pushImage(clients, prod, { ...image, author: "a copier that writes it anew" });
      },
    },
  );
  const error = await promotion.catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "E_COPY_DIFFERS", value: copied });
  expect(await findLiveConfiguration(clients, prod)).toMatchObject({ version: "1" });
  expect(await readPublishedTag(clients, prod)).toBeUndefined();
});
