import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { expect, it, onTestFinished } from "vitest";
import { buildTestClients } from "./testing/local-aws.ts";

it("an invocation whose answer gets lost is not sent again; it may have been carried out", async () => {
  let invocations = 0;
  const server = createServer((request) => {
    invocations += 1;
    request.socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { invoker } = buildTestClients(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(invoker.send(new InvokeCommand({ FunctionName: "lambda-app-dev" }))).rejects.toThrow();
  expect(invocations).toBe(1);
});
