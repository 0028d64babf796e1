import { DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { withLease } from "../lease/lease.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { addTag, type Digest, findImage, listImages } from "./images.ts";

let localAws: LocalAws;
let clients: HandoffClients;
let first: Digest;
let second: Digest;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
  first = await pushImage(clients, fn, { architecture: "amd64", tag: "content-1" });
  second = await pushImage(clients, fn, { architecture: "amd64", tag: "content-2", author: "second" });
});
afterAll(() => localAws?.close());

const fn = parseFunction("lambda-app", stages.dev, "x86_64");

describe("addTag", () => {
  const tag = "0a1b2c3d4e5f";
  const addTagTo = (digest: Digest) =>
    withLease(clients, fn, { command: "release" }, (lease) => addTag(clients, fn, lease, digest, tag));

  it("gives an image one more tag, and once more does nothing", async () => {
    await addTagTo(first);
    await addTagTo(first);
    expect((await findImage(clients, fn, first))?.tags.toSorted()).toEqual([tag, "content-1"]);
  });

  it("never moves a tag to another image, even where the repository would let it", async () => {
    await expect(addTagTo(second)).rejects.toMatchObject({ code: "E_TAG_TAKEN", value: first });
    expect((await findImage(clients, fn, tag))?.digest).toBe(first);
  });
});

it("listImages gives all images to the last page", async () => {
  const digests = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`);
  const ecr = new ECRClient({ region: "eu-central-1" });
  ecr.send = async (command: unknown) => {
    if (!(command instanceof DescribeImagesCommand))
      throw new Error("something else than images was asked for");
    return command.input.nextToken === "2"
      ? { imageDetails: [{ imageDigest: digests[1] }] }
      : { imageDetails: [{ imageDigest: digests[0] }], nextToken: "2" };
  };
  const images = await listImages({ ...clients, ecr }, fn);
  expect(images.map(({ digest }) => digest)).toEqual(digests);
});
