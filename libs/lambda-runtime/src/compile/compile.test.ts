import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseHostArchitecture } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bunPath, bunVersion, workspaceRoot } from "./bun-executable.ts";
import { compileEngine } from "./compile-engine.ts";
import { forbiddenVariables, hardenExecutable } from "./harden.ts";

const run = promisify(execFile);

describe("hardenExecutable", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "harden-test-"));
    await writeFile(join(directory, "main.ts"), 'console.log("what was compiled");');
    await writeFile(join(directory, "preload.cjs"), 'console.log("something else");');
  });
  afterAll(() => rm(directory, { recursive: true }));

  const compile = async (name: string, base: string) => {
    const outfile = join(directory, name);
    const flags = ["--compile", `--compile-executable-path=${base}`, `--outfile=${outfile}`];
    await run(bunPath, ["build", "main.ts", ...flags], { cwd: directory });
    return async (env: Record<string, string>) => (await run(outfile, ["--version"], { env })).stdout;
  };

  it("makes an executable do what was compiled, which a plain one does not always", async () => {
    const base = join(directory, "hardened-bun");
    await writeFile(base, hardenExecutable(await readFile(bunPath)), { mode: 0o755 });
    const plain = await compile("plain", bunPath);
    const hardened = await compile("hardened", base);
    const preload = { BUN_OPTIONS: `--preload ${join(directory, "preload.cjs")}` };

    expect(await plain({ BUN_BE_BUN: "1" })).toBe(`${bunVersion}\n`);
    expect(await plain(preload)).toBe("something else\nwhat was compiled\n");
    for (const env of [{ BUN_BE_BUN: "1" }, preload]) expect(await hardened(env)).toBe("what was compiled\n");
  });

  it("refuses an executable in which it can't find the names", () => {
    const [first, ...others] = forbiddenVariables;
    expect(() => hardenExecutable(Buffer.from(others.join("\0")))).toThrow(
      expect.objectContaining({ code: "E_ENGINE_NOT_HARDENED", value: first }),
    );
    expect(() => hardenExecutable(Buffer.from(`env.${forbiddenVariables.join("\0env.")}`))).toThrow(
      "E_ENGINE_NOT_HARDENED",
    );
  });

  it("leaves the names in JavaScript, which must still parse", () => {
    const text = `\0${forbiddenVariables.join("\0")}\0process.env.BUN_INSPECT_NOTIFY\0`;
    expect(Buffer.from(hardenExecutable(Buffer.from(text))).toString()).toBe(
      "\0=UN_BE_BUN\0=UN_OPTIONS\0=UN_INSPECT\0process.env.BUN_INSPECT_NOTIFY\0",
    );
  });
});

it("the pinned Bun is the workspace's", async () => {
  const manifest = await readFile(join(workspaceRoot, "node_modules/bun/package.json"), "utf8");
  expect(JSON.parse(manifest).version).toBe(bunVersion);
});

it("compileEngine makes the same engine once", async () => {
  const architecture = parseHostArchitecture(process.arch);
  const engines = await Promise.all([compileEngine(architecture), compileEngine(architecture)]);
  expect(engines[0]).toEqual(engines[1]);
  expect(engines[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
});
