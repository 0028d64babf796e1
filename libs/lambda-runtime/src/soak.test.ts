import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEngine, startEngine } from "./testing/engine-process.ts";

const warmUp = 20_000;
const invocations = 100_000;

/**
 * One of ten fails; each leaves some garbage. `memory` collects it and says what is left, in bytes: the least of a
 * second, since what is free goes back to the kernel little by little.
 */
const app = `
  const measure = async () => {
    const left: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      Bun.gc(true);
      await Bun.sleep(100);
      left.push(process.memoryUsage().rss);
    }
    return Math.min(...left);
  };
  export const handler = async (event: any) => {
    if (event === "memory") return measure();
    if (event.n % 10 === 0) throw new RangeError("number " + event.n);
    return { n: event.n, copy: event.text.toUpperCase() };
  };
`;

describe("a process that lives long", { timeout: 900_000 }, () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine(app);
  });
  afterAll(() => engine.stop());

  const invokeMany = async (count: number) => {
    const kinds = { response: 0, error: 0 };
    for (let n = 0; n < count; n += 1) {
      const text = "x".repeat(n % 500);
      const outcome = await engine.api.invoke({ n, text });
      kinds[outcome.kind] += 1;
      const posted = JSON.parse(outcome.body.toString());
      if (outcome.kind === "error") expect(posted.errorMessage).toBe(`number ${n}`);
      else expect(posted).toEqual({ n, copy: text.toUpperCase() });
    }
    return kinds;
  };
  const memory = async () => Number((await engine.api.invoke("memory")).body.toString());

  it(`answers ${invocations} invocations, errors among them, and its memory does not grow`, async () => {
    await invokeMany(warmUp);
    const before = await memory();
    expect(await invokeMany(invocations)).toEqual({ response: invocations * 0.9, error: invocations * 0.1 });
    const after = await memory();
    console.log(`memory after warm-up ${before} B, after ${invocations} more ${after} B`);
    expect(after / before).toBeLessThanOrEqual(1.05);
    expect(engine.api.connections).toBe(1);
  });
});
