import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createRegistryClient, type RegistryClient } from "./registry-client.ts";

const close: (() => void)[] = [];
afterEach(() => {
  for (const end of close.splice(0)) end();
});

/** Of a registry that answers every request so, without a header. */
async function openAnswered(status: number): Promise<RegistryClient> {
  const server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close.push(() => server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const login = { endpoint, username: "AWS", password: "secret" };
  return createRegistryClient(login, "app", new AbortController().signal);
}

const digest = `sha256:${"0".repeat(64)}`;

describe("an answer without its header is an error", () => {
  it.each([
    ["an upload", 202, "location", (client: RegistryClient) => client.putBlob(digest, new ReadableStream())],
    ["a blob elsewhere", 307, "location", (client: RegistryClient) => client.getBlob(digest)],
    ["a manifest", 200, "content-type", (client: RegistryClient) => client.getManifest(digest)],
  ])("%s: %i without %s", async (_what, status, header, ask) => {
    await expect(ask(await openAnswered(status))).rejects.toMatchObject({
      code: "E_REGISTRY_ANSWER_INCOMPLETE",
      what: expect.stringContaining(header),
      value: expect.stringMatching(new RegExp(`^${status} from /v2/app/`)),
    });
  });
});
