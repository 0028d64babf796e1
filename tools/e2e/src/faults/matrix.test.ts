import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFaultWorld, type FaultWorld } from "./fault-world.ts";
import { chooseCalls, runMatrix } from "./matrix.ts";
import { scenarios } from "./scenarios.ts";

describe("chooseCalls", () => {
  it("takes the first and the last of a poll, and every other call", () => {
    expect(chooseCalls(["get", "poll", "poll", "poll", "put"])).toEqual([0, 1, 3, 4]);
    expect(chooseCalls(["get", "put"])).toEqual([0, 1]);
    expect(chooseCalls([])).toEqual([]);
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
    const tried = await runMatrix(world, { scenarios: chosen, share: 0.1, onTried: () => {} });
    expect(tried.length).toBeGreaterThan(3);
    expect(tried.filter(({ violations }) => violations.length > 0)).toEqual([]);
  });
});
