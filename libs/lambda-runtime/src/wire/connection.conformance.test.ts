import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { start } from "../testing/conformance.ts";
import {
  buildAnswer,
  invocationFields,
  startWireServer,
  type WireRequest,
  type WireServer,
} from "../testing/wire-server.ts";

const startAt = ({ address }: WireServer) =>
  start('export const handler = (length: number) => "x".repeat(length);', {
    environment: { AWS_LAMBDA_RUNTIME_API: address },
  });

/** Hands out an invocation. @returns the request with its result */
async function invoke(server: WireServer, length: number, fields: string[] = []): Promise<WireRequest> {
  const { what, socket } = await server.take();
  expect(what).toBe("GET next over 1");
  socket.write(buildAnswer(200, String(length), [...invocationFields, ...fields]));
  return server.take();
}

/** Lets the connection carry an invocation. @returns the request for the next one */
async function serveOne(server: WireServer): Promise<WireRequest> {
  const { what, socket } = await invoke(server, 1);
  expect(what).toBe("POST response over 1");
  socket.write(buildAnswer(202));
  return server.take();
}

const exitedWith1 = { code: 1, signal: null };

describe("a connection that is lost", () => {
  it("before it was of any use ends the process", async () => {
    const server = await startWireServer();
    const { exited } = await startAt(server);
    (await server.take()).socket.destroy();
    expect(await Promise.race([exited, server.take()])).toEqual(exitedWith1);
  });

  it("after it was of use is made again, once", async () => {
    const server = await startWireServer();
    const { exited } = await startAt(server);
    (await serveOne(server)).socket.destroy();
    const again = await server.take();
    expect(again.what).toBe("GET next over 2");
    again.socket.destroy();
    expect(await Promise.race([exited, server.take()])).toEqual(exitedWith1);
  });

  it.each([
    ["something else than HTTP", "SIP/2.0 200 OK\r\n\r\n"],
    ["half of the answer", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
  ])("after %s ends the process: the request may have been carried out", async (_what, text) => {
    const server = await startWireServer();
    const { exited } = await startAt(server);
    (await serveOne(server)).socket.end(text);
    expect(await Promise.race([exited, server.take()])).toEqual(exitedWith1);
  });
});

describe("the connection", () => {
  it("is not used again once the server has said that it closes it", async () => {
    const server = await startWireServer();
    await startAt(server);
    const result = await invoke(server, 1, ["Connection: close"]);
    expect(result.what).toBe("POST response over 2");
  });

  it("carries a request behind a body that the server is in no hurry to read", async () => {
    const server = await startWireServer();
    const { wrote } = await startAt(server);
    const { message, socket } = await invoke(server, 6_000_000);
    socket.write(buildAnswer(403));
    // The engine goes on to ask for the next invocation, while most of the body waits on its side.
    await wrote(/The Runtime API refused the result/);
    let received = 0;
    for await (const piece of message) received += piece.length;
    expect(received).toBe(6_000_002);
    expect((await server.take()).what).toBe("GET next over 1");
  });

  const addresses = Object.values(networkInterfaces()).flatMap((ofInterface = []) => ofInterface);
  it.skipIf(!addresses.some(({ address }) => address === "::1"))("goes to IPv6, too", async () => {
    const server = await startWireServer("::1");
    const { exited } = await startAt(server);
    expect(await Promise.race([server.take(), exited])).toMatchObject({ what: "GET next over 1" });
  });
});
