import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultKinds } from "./fault-proxy.ts";
import { createFaultWorld, type FaultWorld } from "./fault-world.ts";
import { chooseCalls, chooseCells, runMatrix } from "./matrix.ts";
import { scenarios } from "./scenarios.ts";

describe("chooseCalls", () => {
  it("takes the first and the last of a poll, and every other call", () => {
    const chosen = chooseCalls(["get", "poll", "poll", "poll", "get"]);
    expect(chosen.map(({ name, occurrence }) => `${name} ${occurrence}`)).toEqual([
      "get 0",
      "poll 0",
      "poll 2",
      "get 1",
    ]);
    expect(chooseCalls([])).toEqual([]);
  });
});

describe("chooseCells", () => {
  const calls = Array.from({ length: 40 }, (_, occurrence) => ({ name: "get", occurrence }));

  it("is every fault at every call", () => {
    expect(chooseCells(calls, 1)).toHaveLength(160);
  });

  it("or a share of them, of every kind, from the first calls to the last", () => {
    const part = chooseCells(calls, 0.1);
    expect(part).toHaveLength(16);
    expect(new Set(part.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
    const order = part.map(({ at }) => at.occurrence);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.at(-1)).toBeGreaterThan(35);
  });
});

describe("a part of the fault matrix", () => {
  let world: FaultWorld;
  beforeAll(() => {
    world = createFaultWorld();
  });
  afterAll(() => world.remove());

  it.each(["second release", "rollback"])("%s", { timeout: 600_000 }, async (name) => {
    const chosen = scenarios.filter((scenario) => scenario.name === name);
    const tried = await runMatrix([world], { scenarios: chosen, share: 0.06, onTried: () => {} });
    expect(tried.length).toBeGreaterThan(3);
    expect(tried.filter(({ violations }) => violations.length > 0)).toEqual([]);
  });
});
