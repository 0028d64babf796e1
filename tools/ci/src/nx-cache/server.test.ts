import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createCacheServer } from "./server.ts";

const headers = { authorization: "Bearer token" };
const entry = "/v1/cache/4711-a";

let directory: string;
let server: Server;
let address: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "nx-cache-"));
  server = createCacheServer(directory, "token").listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The status and the body of an answer. */
async function ask(method: string, path: string, init: RequestInit = {}) {
  const response = await fetch(`${address}${path}`, { method, headers, ...init });
  return [response.status, await response.text()];
}
const put = (body: string) => ask("PUT", entry, { body });
const get = () => ask("GET", entry);

/** Resolves when the folder has as many files. */
const untilFiles = (count: number) =>
  vi.waitFor(() => expect(readdirSync(directory)).toHaveLength(count), { timeout: 30_000, interval: 5 });

describe("the cache server", () => {
  it("gives back what it was given", async () => {
    expect(await get()).toEqual([404, ""]);
    expect(await put("made here")).toEqual([200, ""]);
    expect(await get()).toEqual([200, "made here"]);
  });

  it("never writes over an entry", async () => {
    await put("the first");
    expect(await put("the second")).toEqual([409, ""]);
    expect(await get()).toEqual([200, "the first"]);
  });

  it.each([
    ["no token", {}],
    ["another token", { authorization: "Bearer other" }],
    ["the token alone", { authorization: "token" }],
  ])("neither gives nor takes anything for %s", async (_what, others) => {
    await put("made here");
    expect(await ask("GET", entry, { headers: others })).toEqual([401, ""]);
    expect(await ask("PUT", "/v1/cache/other", { headers: others, body: "x" })).toEqual([401, ""]);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it.each([
    ["PUT", "/v1/cache/..%2Fother", 404],
    ["PUT", "/v1/cache/a/b", 404],
    ["PUT", "/", 404],
    ["DELETE", entry, 405],
  ])("refuses %s %s with %s", async (method, path, status) => {
    expect(await ask(method, path)).toEqual([status, ""]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("has no entry before all of it has come, and none of what was broken off", async () => {
    const upload = request(`${address}${entry}`, { method: "PUT", headers });
    upload.on("error", () => {}).write("half of it");
    await untilFiles(1);
    expect(await get()).toEqual([404, ""]);
    upload.destroy();
    await untilFiles(0);
    expect(await get()).toEqual([404, ""]);
    expect(await put("all of it")).toEqual([200, ""]);
    expect(await get()).toEqual([200, "all of it"]);
  });
});
