import { expect, it } from "vitest";
import { json, start } from "../testing/conformance.ts";
import { buildAnswer, invocationFields, startWireServer } from "../testing/wire-server.ts";

it("runs nothing where the Runtime API refuses to hand out an invocation, whatever else it says", async () => {
  const server = await startWireServer();
  const { exited, output } = await start("export const handler = () => console.log('handled');", {
    environment: { AWS_LAMBDA_RUNTIME_API: server.address },
  });
  const { socket } = await server.take();
  socket.write(buildAnswer(403, '{"errorType":"Forbidden"}', invocationFields));
  expect(await Promise.race([exited, server.take()])).toEqual({ code: 1, signal: null });
  expect(output()).toContain('next was answered with 403: {"errorType":"Forbidden"}');
  expect(output()).not.toContain("handled");
});

it("lets an error's name add no header field", async () => {
  const { api } = await start(
    String.raw`export const handler = () => { throw { name: "a\r\nx: yü", message: "" }; };`,
  );
  const outcome = await api.invoke({});
  const { headers } = outcome;
  expect(headers["lambda-runtime-function-error-type"]).toBe("Function.a__x__y_");
  expect(headers).not.toHaveProperty("x");
  expect(json(outcome).errorType).toBe("a\r\nx: yü");
});
