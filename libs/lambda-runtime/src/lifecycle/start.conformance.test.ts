import { describe, expect, it } from "vitest";
import { json, start } from "../testing/conformance.ts";

describe("the first answer", () => {
  it("is when code begins to be compiled to machine code as early as usual", async () => {
    const { api } = await start(
      `
      import { numberOfDFGCompiles } from "bun:jsc";
      const use = (name: string) => {
        const work = new Function("n", "/* " + name + " */ return n * 3 + 1;");
        for (let n = 0; n < 300; n += 1) work(n);
        return numberOfDFGCompiles(work);
      };
      const atStart = use("start");
      export const handler = (name: string) => ({ atStart, now: use(name) });
    `,
      // So that it is compiled at once, and not by another thread that takes its time.
      { environment: { BUN_JSC_useConcurrentJIT: "0" } },
    );
    expect(json(await api.invoke("first"))).toEqual({ atStart: 0, now: 0 });
    expect(json(await api.invoke("second"))).toEqual({ atStart: 0, now: 1 });
  });
});

describe("the engine's environment", () => {
  it("keeps the allocator from making a thread", async () => {
    const source = `
      import { readdirSync, readFileSync } from "node:fs";
      export const handler = () =>
        readdirSync("/proc/self/task").map((id) => readFileSync("/proc/self/task/" + id + "/comm", "utf8").trim());
    `;
    const listThreads = async (environment: Record<string, string>) =>
      json(await (await start(source, { environment })).api.invoke({}));
    expect(await listThreads({})).not.toContain("mi-scavenger");
    expect(await listThreads({ MIMALLOC_SCAVENGER: "1" })).toContain("mi-scavenger");
  });
});
