import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { planPromotion } from "../commands/promote.ts";
import { buildTestClients, type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { resolveAllPublished, resolvePublished } from "./resolve.ts";

let localAws: LocalAws;
let clients: HandoffClients;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
});
afterAll(() => localAws?.close());

const dev = parseFunction("lambda-app", stages.dev, "x86_64");
const tag = "0a1b2c3d4e5f";
/** Functions that share nothing with each other. */
const newFunction = (name: string) => ({
  ...dev,
  functionName: name,
  repositoryName: name,
  imageTagParameter: `/${name}/image-tag`,
});
type TestFunction = ReturnType<typeof newFunction>;

const publish = (fn: TestFunction, Value: string) =>
  clients.ssm.send(
    new PutParameterCommand({ Name: fn.imageTagParameter, Value, Type: "String", Overwrite: true }),
  );

describe("resolvePublished", () => {
  it("is initial where there is no parameter and no function", async () => {
    expect(await resolvePublished(clients, newFunction("nothing"))).toEqual({ kind: "initial" });
  });

  it("gives the tag and the digest of an image that fits", async () => {
    const fn = newFunction("fits");
    const digest = await pushImage(clients, fn, { architecture: "amd64", tag });
    await publish(fn, tag);
    expect(await resolvePublished(clients, fn)).toEqual({ kind: "published", tag, digest });
  });

  it.each(["latest", "initial", "0a1b2c3d4e5f-dirty"])(
    "refuses the malformed %s, and names parameter and value",
    async (value) => {
      const fn = newFunction("malformed");
      await publish(fn, value);
      await expect(resolvePublished(clients, fn)).rejects.toMatchObject({
        code: "E_IMAGE_TAG_MALFORMED",
        value,
      });
      await expect(resolvePublished(clients, fn)).rejects.toThrow(fn.imageTagParameter);
    },
  );

  it("refuses a tag without an image, or without even a repository", async () => {
    const fn = newFunction("missing");
    await publish(fn, tag);
    const missing = { code: "E_PUBLISHED_IMAGE_MISSING", value: `missing:${tag}` };
    await expect(resolvePublished(clients, fn)).rejects.toMatchObject(missing);
    await pushImage(clients, fn, { architecture: "amd64", tag: "ffffffffffff" });
    await expect(resolvePublished(clients, fn)).rejects.toMatchObject(missing);
  });

  it("refuses an index of several platforms", async () => {
    const fn = newFunction("index");
    await pushImage(clients, fn, { architecture: "amd64", tag, isIndex: true });
    await publish(fn, tag);
    await expect(resolvePublished(clients, fn)).rejects.toMatchObject({ code: "E_PUBLISHED_IMAGE_IS_INDEX" });
  });

  it("refuses an image for the other architecture", async () => {
    const fn = newFunction("other-architecture");
    await pushImage(clients, fn, { architecture: "arm64", tag });
    await publish(fn, tag);
    await expect(resolvePublished(clients, fn)).rejects.toMatchObject({
      code: "E_PUBLISHED_IMAGE_ARCHITECTURE",
    });
    expect(await resolvePublished(clients, { ...fn, architecture: "arm64" })).toMatchObject({ tag });
  });

  it("believes in a first deploy only in the stage's own region", async () => {
    const fn = newFunction("elsewhere");
    const elsewhere = { ...fn, stage: { ...fn.stage, region: "elsewhere" } };
    await expect(resolvePublished(clients, elsewhere)).rejects.toMatchObject({ code: "E_REGION_UNEXPECTED" });
  });
});

it("resolveAllPublished gives each function its own, in order", async () => {
  const fns = Array.from({ length: 12 }, (_, index) => newFunction(`many-${index}`));
  for (const fn of fns.slice(0, 11)) {
    await pushImage(clients, fn, { architecture: "amd64", tag });
    await publish(fn, tag);
  }
  const all = await resolveAllPublished(clients, fns);
  expect(all.map(({ kind }) => kind)).toEqual([...Array.from({ length: 11 }, () => "published"), "initial"]);
});

describe("planPromotion", () => {
  /** May read images and tags, as the role to copy images from. */
  const withoutFunctions = (): HandoffClients => {
    const lambda = new LambdaClient({ region: "eu-central-1" });
    lambda.send = async () => Promise.reject(new Error("a function was looked at"));
    return { ...clients, lambda };
  };

  it("says that nothing is published, and of what is, which image", async () => {
    const fn = newFunction("source");
    const source = { clients: withoutFunctions(), fn };
    await expect(planPromotion(source)).rejects.toMatchObject({ code: "E_NOTHING_TO_PROMOTE" });
    const digest = await pushImage(clients, fn, { architecture: "amd64", tag });
    await publish(fn, tag);
    expect(await planPromotion(source)).toEqual({ tag, digest, contentTags: [] });
  });
});

describe("a tag that can't be read is never a first deploy", () => {
  let server: Server;
  let status = 400;
  let type = "";
  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify({ __type: type, message: `the ${type} of the test` }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => server?.close());

  it.each([
    [400, "AccessDeniedException", "E_TAG_READ_DENIED"],
    [400, "ThrottlingException", "E_TAG_READ_THROTTLED"],
    [400, "ExpiredTokenException", "E_TAG_READ_CREDENTIALS_EXPIRED"],
    [400, "UnrecognizedClientException", "E_TAG_READ_CREDENTIALS_INVALID"],
    [400, "InvalidSignatureException", "E_TAG_READ_CREDENTIALS_INVALID"],
  ])("%d %s is %s", async (httpStatus, name, code) => {
    [status, type] = [httpStatus, name];
    const failing = buildTestClients(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const error = await resolvePublished(failing, dev).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, value: `the ${name} of the test` });
    expect(String(error)).toContain(dev.imageTagParameter);
  });

  it("nor among many", async () => {
    [status, type] = [400, "AccessDeniedException"];
    const failing = buildTestClients(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(resolveAllPublished(failing, [dev])).rejects.toMatchObject({ code: "E_TAG_READ_DENIED" });
  });

  it("any other answer stays what it is", async () => {
    [status, type] = [400, "SomethingNew"];
    const failing = buildTestClients(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await expect(resolvePublished(failing, dev)).rejects.toMatchObject({ name: "SomethingNew" });
  });

  it("nothing that listens is E_TAG_READ_UNREACHABLE", async () => {
    const closed = createServer();
    closed.listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const unreachable = buildTestClients(`http://127.0.0.1:${port}`);
    await expect(resolvePublished(unreachable, dev)).rejects.toMatchObject({
      code: "E_TAG_READ_UNREACHABLE",
    });
  });
});
