import { describe, expect, it } from "vitest";
import { json, start } from "../testing/conformance.ts";

describe("logs", () => {
  const source = `
    export const handler = (event: string) => {
      console.debug("quiet"); console.log("hello %s", event, { a: 1 }); console.warn({ deep: { b: [1] } });
      console.error("bad\\nthing", new RangeError("no"));
    };
  `;

  it("are lines of text with time, request and level", async () => {
    const { api, output, wrote } = await start(source);
    const { requestId } = await api.invoke("you");
    await wrote(/ERROR[^\n]*\n/);
    const lines = output().trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\t${requestId}\\tINFO\\thello you \\{`),
    );
    expect(lines[3]).toContain("\tERROR\tbad\rthing RangeError: no");
  });

  it("that nobody reads any more fail no invocation and keep no process", async () => {
    const { api, process, exited } = await start(
      `export const handler = (event: string) => { console.log("lost"); return event; };`,
    );
    process.stdout?.destroy();
    process.stderr?.destroy();
    expect(json(await api.invoke("you"))).toBe("you");
    await api.stop();
    expect(await exited).toEqual({ code: 1, signal: null });
  });

  it("that can't be written do not keep a process that has crashed", async () => {
    const { api, exited } = await start(`
      import { closeSync } from "node:fs";
      export const handler = () => { closeSync(1); Promise.reject(new Error("no")); return new Promise(() => {}); };
    `);
    void api.invoke("you").catch(() => {});
    expect(await exited).toEqual({ code: 128, signal: null });
  });

  it("are JSON from the configured level on, where the function says so", async () => {
    const { api, output, wrote } = await start(source, {
      environment: { AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: "info" },
    });
    const { requestId } = await api.invoke("you", { headers: { "Lambda-Runtime-Aws-Tenant-Id": "t" } });
    await wrote(/ERROR[^\n]*\n/);
    const records = output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toEqual([
      {
        timestamp: expect.any(String),
        level: "INFO",
        requestId,
        tenantId: "t",
        message: expect.stringMatching(/^hello you/),
      },
      {
        timestamp: expect.any(String),
        level: "WARN",
        requestId,
        tenantId: "t",
        message: { deep: { b: [1] } },
      },
      {
        timestamp: expect.any(String),
        level: "ERROR",
        requestId,
        tenantId: "t",
        message: expect.stringContaining("bad\nthing"),
        errorType: "RangeError",
        errorMessage: "no",
        stackTrace: expect.any(Array),
      },
    ]);
  });

  const composites = `
    export const handler = () => {
      console.table([{ a: 1 }]); console.dir({ a: { b: 1 } }, { depth: 0 }); console.count("c");
      console.group("g"); console.dirxml("in\\nside"); console.groupEnd();
      console.time("t"); console.timeEnd("t"); console.assert(true); console.assert(false, "no %d", 1);
      (console as any).fatal("the %s", "end");
    };
  `;
  const expected = [
    ["INFO", expect.stringMatching(/^┌.*a.*┘$/s)],
    ["INFO", "{ a: [Object] }"],
    ["INFO", "c: 1"],
    ["INFO", "g"],
    ["INFO", expect.stringMatching(/^ {2}in\s {2}side$/)],
    ["INFO", expect.stringMatching(/^t: [\d.]+ms$/)],
    ["WARN", "Assertion failed: no 1"],
    ["FATAL", "the end"],
  ];

  it("have a line for each call of the methods that make tables, counts, groups and times", async () => {
    const { api, output, wrote } = await start(composites);
    const { requestId } = await api.invoke({});
    await wrote(/FATAL[^\n]*\n/);
    const lines = output()
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(lines.map(([, , level, message]) => [level, message])).toEqual(expected);
    expect(new Set(lines.map(([, id]) => id))).toEqual(new Set([requestId]));
  });

  it("have them as JSON too", async () => {
    const { api, output, wrote } = await start(composites, {
      environment: { AWS_LAMBDA_LOG_FORMAT: "JSON" },
    });
    const { requestId } = await api.invoke({});
    await wrote(/FATAL[^\n]*\n/);
    const records = output()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map(({ level, message }) => [level, message])).toEqual(expected);
    expect(new Set(records.map((record) => record.requestId))).toEqual(new Set([requestId]));
  });
});
