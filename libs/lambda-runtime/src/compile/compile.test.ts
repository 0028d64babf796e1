import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseHostArchitecture } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
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
  const read = async (path: string) => JSON.parse(await readFile(join(workspaceRoot, path), "utf8"));
  expect(await read("node_modules/bun/package.json")).toMatchObject({ version: bunVersion });
  // By this one, another Bun affects the engine, and with it the apps.
  const { dependencies } = await read("libs/lambda-runtime/package.json");
  expect(dependencies).toMatchObject({ bun: bunVersion });
});

it("compileEngine makes the same engine once", async () => {
  const architecture = parseHostArchitecture(process.arch);
  const engines = await Promise.all([compileEngine(architecture), compileEngine(architecture)]);
  expect(engines[0]).toEqual(engines[1]);
  expect(engines[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
});

it("no engine is made, nor one that is kept handed out, where another Bun is installed", async () => {
  const { path } = await compileEngine(parseHostArchitecture(process.arch));
  const directory = await mkdtemp(join(tmpdir(), "other-bun-test-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [project, packages] = ["libs/lambda-runtime", "node_modules"];
  await cp(join(workspaceRoot, project, "src"), join(directory, project, "src"), { recursive: true });
  await symlink(join(workspaceRoot, project, "dist"), join(directory, project, "dist"));
  await mkdir(join(directory, packages, "bun"), { recursive: true });
  await symlink(join(workspaceRoot, packages, "@workspace"), join(directory, packages, "@workspace"));
  const compileWith = async (version: string) => {
    await writeFile(join(directory, packages, "bun/package.json"), JSON.stringify({ version }));
    return run(bunPath, [join(directory, project, "src/compile/main.ts")]);
  };

  const { stdout } = await compileWith(bunVersion);
  expect(JSON.parse(stdout).path).toContain(path.slice(path.indexOf("dist/engine")));
  await expect(compileWith("1.0.0")).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/E_BUN_UNPINNED.*1\.0\.0.*npm ci/s),
  });
});
