import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestOf } from "../image/digest.ts";
import { type Descriptor, mediaTypes } from "../image/manifest.ts";
import { openStore } from "../store/store.ts";
import { makeScratchFolder } from "../testing/scratch-folder.ts";
import {
  startTestRegistry,
  type TestRegistry,
  type TestRegistryProps,
  testCredentials,
} from "../testing/test-registry.ts";
import type { Credentials } from "./docker-config.ts";
import { createRegistryClient, type RegistryClient } from "./registry-client.ts";

interface Opened {
  readonly registry: TestRegistry;
  readonly client: RegistryClient;
  readonly retries: readonly string[];
}

async function open(props: TestRegistryProps = {}, credentials?: Credentials): Promise<Opened> {
  const registry = await startTestRegistry(props);
  onTestFinished(() => registry.close());
  const retries: string[] = [];
  const client = createRegistryClient({
    host: registry.host,
    findCredentials: async () => credentials,
    onRetry: (text) => retries.push(text),
    firstRetryDelayMs: 1,
  });
  return { registry, client, retries };
}

const content = Buffer.alloc(300_000, "content");
const blob: Descriptor = { mediaType: "text/plain", digest: digestOf(content), size: content.byteLength };
const pushProps = {
  repository: "team/app",
  blob,
  open: () => Readable.from([content.subarray(0, 7), content.subarray(7)]),
};

/** A fault for the first `times` requests that fit. */
function faulty(
  times: number,
  fits: (request: IncomingMessage) => boolean,
  fault: (response: ServerResponse, request: IncomingMessage) => void,
) {
  let left = times;
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (left === 0 || !fits(request)) return false;
    left -= 1;
    fault(response, request);
    return true;
  };
}

const cut = (response: ServerResponse) => void response.destroy();
const cutAnswer = (code: number) => (response: ServerResponse) => {
  response.writeHead(code, { "content-length": 1000 }).write('{"errors":', () => response.destroy());
};
const status =
  (code: number, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end();

describe("authorization", () => {
  it.each(["basic", "bearer"] as const)("logs in the %s way, and only once", async (auth) => {
    const { registry, client } = await open({ auth }, testCredentials);
    await client.ping();
    expect(await client.hasBlob("app", blob.digest)).toBe(false);
    expect(await client.pushBlob({ ...pushProps, repository: "app" })).toBe("sent");
    expect(await client.hasBlob("app", blob.digest)).toBe(true);
    const tokens = registry.requests.filter((request) => request.includes("/token"));
    const scopes = tokens.map((request) => new URLSearchParams(request.split("?")[1]).get("scope"));
    expect(scopes).toEqual(auth === "basic" ? [] : [null, "repository:app:pull,push"]);
  });

  it.each(["basic", "bearer"] as const)("says that a wrong password is wrong, the %s way", async (auth) => {
    const { client, registry } = await open({ auth }, { username: "AWS", password: "wrong" });
    await expect(client.ping()).rejects.toThrow(
      expect.objectContaining({ code: "E_REGISTRY_LOGIN_REFUSED" }),
    );
    expect(registry.requests.length).toBeLessThanOrEqual(2);
  });

  it.each(["basic", "bearer"] as const)("says that a login is missing, the %s way", async (auth) => {
    const { client } = await open({ auth });
    const pushed = client.pushBlob(pushProps);
    await expect(pushed).rejects.toThrow(/^E_REGISTRY_LOGIN_(REQUIRED|REFUSED)/);
  });

  it("tries again where the answer with the token is cut off", async () => {
    const isToken = ({ url = "" }: IncomingMessage) => url.startsWith("/token");
    const intercept = faulty(1, isToken, cutAnswer(200));
    const { client, retries } = await open({ auth: "bearer", intercept }, testCredentials);
    await client.ping();
    expect(retries).toHaveLength(1);
  });

  it("does not send the password to where a redirect leads", async () => {
    const seen: (string | undefined)[] = [];
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end(content);
    });
    await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void storage.close());
    const location = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/blob`;
    const isBlob = (request: IncomingMessage) =>
      request.headers.authorization !== undefined && request.url === `/v2/app/blobs/${blob.digest}`;
    const { client } = await open(
      { auth: "basic", intercept: faulty(9, isBlob, status(307, { location })) },
      testCredentials,
    );
    const store = openStore(makeScratchFolder());
    await client.pullBlob({ repository: "app", blob, store });
    expect(store.readBlob(blob.digest)?.equals(content)).toBe(true);
    expect(seen).toEqual([undefined]);
  });
});

describe("what passes", () => {
  it.each<[string, number, (request: IncomingMessage) => boolean, (response: ServerResponse) => void]>([
    ["a 503 at the start of the upload", 2, ({ method }) => method === "POST", status(503)],
    ["a 500 at its end", 1, ({ method }) => method === "PUT", status(500)],
    ["throttling", 3, () => true, status(429, { "retry-after": "0" })],
    ["a lost connection at the start", 2, () => true, cut],
    ["a refusal that is cut off", 1, ({ method }) => method === "POST", cutAnswer(403)],
    ["a lost connection during the upload", 1, ({ method }) => method === "PUT", cut],
  ])("is tried again: %s", async (_, times, fits, fault) => {
    const { registry, client, retries } = await open({ intercept: faulty(times, fits, fault) });
    let movedBytes = 0;
    await client.pushBlob({ ...pushProps, onBytes: (bytes) => (movedBytes += bytes) });
    expect(registry.blobs.get(blob.digest)?.equals(content)).toBe(true);
    expect(retries).toHaveLength(times);
    expect(movedBytes).toBe(content.byteLength);
  });

  it("is tried five times, and then said", async () => {
    const { registry, client } = await open({ intercept: faulty(99, () => true, status(502)) });
    await expect(client.hasBlob("app", blob.digest)).rejects.toThrow(
      expect.objectContaining({ code: "E_REGISTRY_UNREACHABLE", value: expect.stringContaining("502") }),
    );
    expect(registry.requests).toHaveLength(5);
  });

  it("is said when nobody listens", async () => {
    const { registry, client } = await open();
    await registry.close();
    await expect(client.ping()).rejects.toThrow(expect.objectContaining({ code: "E_REGISTRY_UNREACHABLE" }));
  });
});

describe("refusals", () => {
  it.each<[number, object, string]>([
    [403, { code: "DENIED", message: "no" }, "E_REGISTRY_DENIED"],
    [404, { code: "NAME_UNKNOWN", message: "no such repository" }, "E_REGISTRY_REPOSITORY_MISSING"],
    [400, { code: "TAG_INVALID", message: "the tag is immutable" }, "E_TAG_IMMUTABLE"],
    [413, { code: "SIZE", message: "too large" }, "E_REGISTRY_REFUSED"],
  ])("%i %j is %s, at once", async (code, error, expected) => {
    const refuse = (response: ServerResponse) => {
      response.writeHead(code, { "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [error] }));
    };
    const { registry, client } = await open({ intercept: faulty(99, () => true, refuse) });
    await expect(client.pushBlob(pushProps)).rejects.toThrow(expect.objectContaining({ code: expected }));
    expect(registry.requests).toHaveLength(1);
  });

  it("keep the registry's words where they are no JSON", async () => {
    const html = (response: ServerResponse) => void response.writeHead(418).end("<html>teapot");
    const { client } = await open({ intercept: faulty(99, () => true, html) });
    await expect(client.pushBlob(pushProps)).rejects.toThrow("418 <html>teapot");
  });
});

it("names a registry that doesn't say where a blob is to be sent", async () => {
  const { registry, client } = await open({ intercept: faulty(99, () => true, status(202)) });
  await expect(client.pushBlob(pushProps)).rejects.toMatchObject({ code: "E_REGISTRY_REFUSED", value: 202 });
  expect(registry.requests).toHaveLength(1);
});

describe("pullBlob", () => {
  async function pull(answer: (response: ServerResponse) => void, times = 1) {
    const isBlob = ({ url = "" }: IncomingMessage) => url.includes("/blobs/");
    const { registry, client, retries } = await open({ intercept: faulty(times, isBlob, answer) });
    registry.addBlob(content);
    registry.addManifest("app", "1", mediaTypes.ociManifest, {});
    const store = openStore(makeScratchFolder());
    const pulled = client.pullBlob({ repository: "app", blob, store });
    return { pulled, store, retries };
  }

  it("tries again what was cut off", async () => {
    const { pulled, store, retries } = await pull((response) => {
      response.writeHead(200, { "content-length": content.byteLength });
      response.write(content.subarray(0, 1000), () => response.destroy());
    });
    await pulled;
    expect([store.hasBlob(blob), retries.length]).toEqual([true, 1]);
  });

  it("tries again what ended early", async () => {
    const { pulled, retries } = await pull((response) => response.end(content.subarray(0, 1000)));
    await pulled;
    expect(retries).toHaveLength(1);
  });

  it.each([
    ["other content of the same size", Buffer.alloc(content.byteLength)],
    ["more", Buffer.concat([content, Buffer.from("more")])],
  ])("refuses %s, and keeps nothing of it", async (_, other) => {
    const { pulled, store } = await pull((response) => response.end(other));
    await expect(pulled).rejects.toThrow(expect.objectContaining({ code: "E_DIGEST_MISMATCH" }));
    expect(store.hasBlob(blob)).toBe(false);
    expect(store.readBlob(digestOf(other))).toBeUndefined();
  });
});

describe("findManifest", () => {
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [] };

  it("gives a manifest by tag and by digest, or nothing", async () => {
    const { registry, client } = await open();
    const digest = registry.addManifest("app", "1", mediaTypes.ociManifest, document);
    expect((await client.findManifest("app", "1"))?.descriptor.digest).toBe(digest);
    expect((await client.findManifest("app", digest))?.descriptor.mediaType).toBe(mediaTypes.ociManifest);
    expect(await client.findManifest("app", "2")).toBeUndefined();
    expect([await client.findDigest("app", "1"), await client.findDigest("app", "2")]).toEqual([
      digest,
      undefined,
    ]);
  });

  it("refuses another manifest than the digest names", async () => {
    const other = (response: ServerResponse) => void response.end("{}");
    const { client } = await open({ intercept: faulty(1, () => true, other) });
    await expect(client.findManifest("app", digestOf("x"))).rejects.toThrow("E_DIGEST_MISMATCH");
  });
});
