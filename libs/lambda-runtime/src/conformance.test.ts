import { afterEach, describe, expect, it } from "vitest";
import { type EngineOptions, type RunningEngine, startEngine } from "./testing/engine-process.ts";

const running: RunningEngine[] = [];

async function start(source: string, options?: EngineOptions): Promise<RunningEngine> {
  const engine = await startEngine(source, options);
  running.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of running.splice(0)) await engine.stop();
});

const json = ({ body }: { body: Buffer }) => JSON.parse(body.toString("utf8"));

describe("results", () => {
  it("are JSON, whatever the event holds", async () => {
    const { api } = await start("export const handler = (event: unknown) => event;");
    for (const event of [{ a: [1, "ü€😀\u2028\0"] }, null, "text", 0, [], true]) {
      const outcome = await api.invoke(event);
      expect(outcome.kind).toBe("response");
      expect(json(outcome)).toEqual(event);
    }
    expect(api.connections).toBe(1);
  });
});
