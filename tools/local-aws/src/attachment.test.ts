import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { statusPath, stopServer } from "./attachment.ts";

it("stopServer doesn't wait for a server that refuses to stop", async () => {
  const server = createServer(({ url }, response) => {
    response.setHeader("server", "local-aws");
    if (url === statusPath) response.end(JSON.stringify({ stateDirectory: "/state", pid: 1 }));
    else response.writeHead(403).end();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(stopServer(endpoint)).rejects.toMatchObject({ code: "E_STOP_REFUSED", value: 403 });
});
