import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileEngine, engineEnvironment } from "@workspace/lambda-runtime/compile";
import { parseHostArchitecture } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { RuntimeApiServer } from "../../libs/lambda-runtime/src/testing/runtime-api-server.ts";
import { buildApp } from "./app-bundle.ts";
import { checkBytecode } from "./bytecode.ts";
import { buildImageContext } from "./image-context.ts";
import { initialAppEntry } from "./initial-app.ts";

const architecture = parseHostArchitecture(process.arch);
const source = `export const handler = () => ({ build: process.env.BUILD_ID });\n`;

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "image-context-test-"));
});
afterAll(() => rm(scratch, { recursive: true }));

async function writeApp(folder: string, text = source): Promise<string> {
  const directory = join(scratch, folder, "src");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "handler.ts"), text);
  return join(directory, "handler.ts");
}

describe("buildImageContext", () => {
  it("makes everything that an image is built from, readable for any user", async () => {
    const outDir = join(scratch, "context");
    const context = await buildImageContext({ appEntry: await writeApp("one"), architecture, outDir });
    expect(context).toEqual({
      directory: outDir,
      contentId: expect.stringMatching(/^[0-9a-f]{64}$/),
      platform: architecture === "arm64" ? "linux/arm64" : "linux/amd64",
      bytecode: "used",
      packages: [],
    });
    const mode = async (name: string) => ((await stat(join(outDir, name))).mode & 0o777).toString(8);
    expect(await mode("engine")).toBe("755");
    expect(await mode("app")).toBe("755");
    for (const name of ["app/app.js", "app/app.js.jsc"]) expect(await mode(name)).toBe("644");
  });

  it.each(["app", "initial"])("the %s image starts the engine as it is tested and measured", async (kind) => {
    const dockerfile = await readFile(join(import.meta.dirname, `../${kind}/Dockerfile`), "utf8");
    const [, variables = ""] = /^ENV (.*)$/m.exec(dockerfile) ?? [];
    expect(Object.fromEntries(variables.split(" ").map((assignment) => assignment.split("=")))).toEqual({
      LAMBDA_TASK_ROOT: "/var/task",
      ...engineEnvironment,
    });
  });

  it("gives the same bytes in another folder", async () => {
    const appEntries = [await writeApp("here"), await writeApp("some/where/else")];
    const engine = await compileEngine(architecture);
    const contexts = [];
    for (const [index, appEntry] of appEntries.entries()) {
      // Without what an earlier build has kept.
      await rm(join((await buildApp(appEntry, engine)).directory, ".."), { recursive: true });
      contexts.push(
        await buildImageContext({ appEntry, architecture, outDir: join(scratch, `same-${index}`) }),
      );
    }
    const [first, second] = contexts;
    for (const name of ["app/app.js", "app/app.js.jsc", "Dockerfile"]) {
      const bytes = (context = first) => readFile(join(context?.directory ?? "", name));
      expect((await bytes(first)).equals(await bytes(second))).toBe(true);
    }
    expect(first?.contentId).toBe(second?.contentId);
  });

  it("changes its identity, and the build's, with the app and only then", async () => {
    const build = async (text: string) => {
      const outDir = join(scratch, "identity");
      const { contentId } = await buildImageContext({
        appEntry: await writeApp("identity-app", text),
        architecture,
        outDir,
      });
      const bundle = await readFile(join(outDir, "app/app.js"), "utf8");
      return { contentId, buildId: /"([0-9a-f]{12})"/.exec(bundle)?.[1] };
    };
    const first = await build(source);
    expect(first.buildId).toBeDefined();
    expect(await build(`// A comment changes nothing.\n${source}`)).toEqual(first);
    const second = await build(source.replace("build:", "id:"));
    expect(second.buildId).not.toBe(first.buildId);
    expect(second.contentId).not.toBe(first.contentId);
  });

  it("says what the bundler says", async () => {
    const appEntry = await writeApp("broken", 'import "./nowhere.ts";');
    const build = buildImageContext({ appEntry, architecture, outDir: join(scratch, "broken-out") });
    await expect(build).rejects.toMatchObject({
      code: "E_BUNDLE_FAILED",
      value: expect.stringContaining("nowhere.ts"),
    });
  });

  it("takes the placeholder's Dockerfile for the placeholder", async () => {
    const outDir = join(scratch, "initial");
    await buildImageContext({ appEntry: initialAppEntry, architecture, outDir });
    expect(await readFile(join(outDir, "Dockerfile"), "utf8")).toMatch(/^# The placeholder/);
  });
});

describe("files that an app imports", () => {
  const reader = `
    import font from "./font.ttf";
    import terms from "./terms.txt" with { type: "file" };
    export const handler = () => Promise.all([font, terms].map((path) => Bun.file(path).text()));
  `;
  /** An app beside the two files, in a context. */
  const build = async (font: string, text = reader) => {
    const appEntry = await writeApp("with-files", text);
    await writeFile(join(appEntry, "../font.ttf"), font);
    await writeFile(join(appEntry, "../terms.txt"), "some terms");
    return buildImageContext({ appEntry, architecture, outDir: join(scratch, "with-files-out") });
  };

  it("are found at run time, and each of their changes counts", async () => {
    const first = await build("a font");
    expect(await invoke(first.directory)).toEqual(["a font", "some terms"]);
    const second = await build("another font");
    expect(await invoke(second.directory)).toEqual(["another font", "some terms"]);
    expect(second.contentId).not.toBe(first.contentId);
    expect((await build("a font")).contentId).toBe(first.contentId);
  });

  it("lie beside the bundle, readable for any user, and none from another build", async () => {
    await build("a font");
    const { directory } = await build("another font");
    const names = (await readdir(join(directory, "app"))).sort();
    expect(names).toEqual([
      "app.js",
      "app.js.jsc",
      expect.stringMatching(/^font-\w+\.ttf$/),
      expect.stringMatching(/^terms-\w+\.txt$/),
    ]);
    for (const name of names) expect((await stat(join(directory, "app", name))).mode & 0o777).toBe(0o644);
  });

  it("count where the bundle doesn't name them, too", async () => {
    const nameless = `import "./font.ttf";\n${source}`;
    const [first, second] = [await build("a font", nameless), await build("another font", nameless)];
    expect(second.contentId).not.toBe(first.contentId);
  });
});

/** What the handler in a context's folder returns, run as its image runs it. */
async function invoke(directory: string): Promise<unknown> {
  const api = new RuntimeApiServer();
  await api.start();
  const taskRoot = join(directory, "app");
  const engine = spawn(join(directory, "engine"), {
    cwd: taskRoot,
    stdio: "ignore",
    env: { AWS_LAMBDA_RUNTIME_API: api.address, LAMBDA_TASK_ROOT: taskRoot, _HANDLER: "app.handler" },
  });
  try {
    return JSON.parse((await api.invoke({})).body.toString("utf8"));
  } finally {
    engine.kill("SIGKILL");
    await api.stop();
  }
}

describe("checkBytecode", () => {
  const prepare = async (folder: string) => {
    const engine = await compileEngine(architecture);
    const { directory } = await buildApp(await writeApp("bytecode-app"), engine);
    const copy = join(scratch, folder);
    await cp(directory, copy, { recursive: true });
    return { engine, copy, bytecode: join(copy, "app.js.jsc") };
  };

  it("is content with bytecode that is used", async () => {
    const { engine, copy } = await prepare("good");
    expect(await checkBytecode(engine, copy)).toBe("used");
  });

  it.each([
    ["missing", (file: string) => rm(file)],
    ["cut short", (file: string) => truncate(file, 100)],
    [
      "of another source",
      (file: string) =>
        writeFile(
          join(file, "../app.js"),
          "// @bun @bytecode @bun-cjs\n(function(exports){exports.handler=()=>2})",
        ),
    ],
  ])("fails where the bytecode is %s", async (what, spoil) => {
    const { engine, copy, bytecode } = await prepare(what);
    await spoil(bytecode);
    await expect(checkBytecode(engine, copy)).rejects.toMatchObject({ code: "E_BYTECODE_UNUSED" });
  });

  it("leaves nothing behind that waits, where the engine can't be started", async () => {
    const { engine, copy } = await prepare("unstartable");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const missing = { ...engine, path: join(scratch, "no-engine") };
    await expect(checkBytecode(missing, copy)).rejects.toMatchObject({ code: "ENOENT" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not know where the engine can't run", async () => {
    const { engine, copy } = await prepare("other");
    const foreign = { ...engine, architecture: architecture === "arm64" ? "x86_64" : "arm64" } as const;
    const emulated = existsSync(
      `/proc/sys/fs/binfmt_misc/qemu-${foreign.architecture === "arm64" ? "aarch64" : "x86_64"}`,
    );
    expect(await checkBytecode(foreign, copy)).toBe(emulated ? "used" : "unknown");
  });
});

it("the two Dockerfiles differ in what they say of themselves, and in nothing else", async () => {
  const read = (kind: string) => readFile(join(import.meta.dirname, "..", kind, "Dockerfile"), "utf8");
  const instructions = (text: string) => text.slice(text.indexOf("#\n"));
  const [app, initial] = [await read("app"), await read("initial")];
  expect(instructions(app)).toBe(instructions(initial));
  expect(app).not.toBe(initial);
});
