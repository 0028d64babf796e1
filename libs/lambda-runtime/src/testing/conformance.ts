import { afterEach } from "vitest";
import { type EngineOptions, type RunningEngine, startEngine } from "./engine-process.ts";
import type { Outcome } from "./runtime-api-server.ts";

const running: RunningEngine[] = [];

/** An engine that is ended after the test. @param source of its app, as of {@link startEngine} */
export async function start(source: string, options?: EngineOptions): Promise<RunningEngine> {
  const engine = await startEngine(source, options);
  running.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop();
});

export const json = ({ body }: Outcome) => JSON.parse(body.toString("utf8"));

/** What follows the JSON and the eight zero bytes of a streamed HTTP answer. */
export function parsePrelude({ body }: Outcome): { prelude: unknown; rest: string } {
  const end = body.indexOf("\0".repeat(8));
  return { prelude: JSON.parse(body.toString("utf8", 0, end)), rest: body.toString("utf8", end + 8) };
}

/** An HTTP event of payload format 2.0. */
export const httpEvent = (path: string, more: object = {}) => ({
  version: "2.0",
  rawPath: path,
  rawQueryString: "",
  headers: { host: "example.com" },
  requestContext: { http: { method: "GET" } },
  isBase64Encoded: false,
  ...more,
});
