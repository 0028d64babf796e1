import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LayerFile, openRegistry, type Registry } from "../../testing/push-image.ts";
import { buildRuntimeScript } from "../../testing/runtime-script.ts";
import { startTestServer, type TestServer } from "../../testing/test-server.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { readProcFile } from "../execution/function-process.ts";

let server: TestServer;
let lambda: LambdaClient;
let registry: Registry;
const outside = mkdtempSync(join(tmpdir(), "outside-of-image-"));
beforeAll(async () => {
  server = await startTestServer();
  lambda = new LambdaClient(server.clientConfig);
  registry = await openRegistry(server);
  await registry.createRepository("app");
});
afterAll(async () => {
  await server?.stop();
  rmSync(outside, { recursive: true, force: true });
});

const waiting = () => ({ client: lambda, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 });

async function create(settings: Partial<CreateFunctionCommandInput>): Promise<string> {
  const FunctionName = `fn-${randomUUID().slice(0, 8)}`;
  const Role = "arn:aws:iam::000000000000:role/app";
  await lambda.send(
    new CreateFunctionCommand({ FunctionName, Role, Timeout: 60, Code: undefined, ...settings }),
  );
  await waitUntilFunctionActiveV2(waiting(), { FunctionName });
  return FunctionName;
}

async function invoke(FunctionName: string, event: object = {}): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  return JSON.parse(Payload?.transformToString() ?? "");
}

/** Says what is in the image's folder: each file's content, each link's target. */
const listing = buildRuntimeScript(`
  const { readdirSync, readFileSync, readlinkSync, statSync } = require("node:fs");
  const root = process.cwd();
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(entries.filter((entry) => entry.name !== "runtime" && !entry.isDirectory()).map((entry) => {
    const path = (entry.parentPath ?? entry.path) + "/" + entry.name;
    return [path.slice(root.length + 1), entry.isSymbolicLink() ? "-> " + readlinkSync(path) : readFileSync(path, "utf8")];
  }));
`);

async function unpack(...layers: LayerFile[][]): Promise<unknown> {
  const tag = randomUUID().slice(0, 8);
  const runtime: LayerFile = { name: "runtime", content: listing, mode: 0o755 };
  await registry.pushImage("app", tag, {
    layers: [...layers, [runtime]],
    config: { Entrypoint: ["/runtime"], WorkingDir: "/" },
  });
  const ImageUri = `${server.host}/app:${tag}`;
  return invoke(await create({ PackageType: "Image", Code: { ImageUri } }));
}

describe("the layers of an image", () => {
  it("lie over each other, and take away", async () => {
    const files = await unpack(
      [
        { name: "a/replaced", content: "1" },
        { name: "a/removed", content: "1" },
        { name: "b/hidden", content: "1" },
        { name: "c", content: "a file" },
        { name: "kept", content: "1" },
      ],
      [
        { name: "a/replaced", content: "2" },
        { name: "a/.wh.removed" },
        { name: "b/.wh..wh..opq" },
        { name: "b/new", content: "2" },
        { name: "c/now-a-folder", content: "2" },
      ],
    );
    expect(files).toEqual({ "a/replaced": "2", "b/new": "2", "c/now-a-folder": "2", kept: "1" });
  });

  it("keep what a layer itself puts where it takes away", async () => {
    const files = await unpack(
      [{ name: "x", content: "old" }],
      [{ name: ".wh.x" }, { name: "x", content: "new" }],
    );
    expect(files).toEqual({ x: "new" });
  });

  it("follow links of each other inside the image only", async () => {
    const files = await unpack(
      [
        { name: "usr/lib/one", content: "1" },
        { name: "lib", type: "symlink", linkname: "usr/lib" },
        { name: "hard", type: "link", linkname: "usr/lib/one" },
      ],
      [{ name: "lib/two", content: "2" }],
    );
    expect(files).toEqual({ "usr/lib/one": "1", "usr/lib/two": "2", hard: "1", lib: "-> usr/lib" });
  });

  it("can't write, hide or read what is outside", async () => {
    const files = await unpack(
      [{ name: "out", type: "symlink", linkname: outside }],
      [
        { name: "out/by-layer", content: "x" },
        { name: "../../../../../../tmp/by-name", content: "x" },
        { name: "a/.wh..." },
      ],
      [
        { name: "link", type: "symlink", linkname: outside },
        { name: "link/by-entry", content: "x" },
      ],
    );
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync("/tmp/by-name")).toBe(false);
    const inside = outside.slice(1);
    expect(files).toMatchObject({
      [`${inside}/by-layer`]: "x",
      [`${inside}/by-entry`]: "x",
      "tmp/by-name": "x",
    });
  });

  it.each(["..", "a/..", "a/../", ".", "/"])("can't replace the folder %s", async (name) => {
    const layers = join(server.stateDirectory, "lambda", "layers");
    const before = readdirSync(layers);
    await expect(unpack([{ name, type: "symlink", linkname: outside }, { name: "x" }])).rejects.toThrow(
      "E_LAYER_MALFORMED",
    );
    expect(readdirSync(layers)).toEqual(before);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe("a function that writes into its image", () => {
  const write = buildRuntimeScript(`
    const { appendFileSync, readFileSync } = require("node:fs");
    for (const path of event.paths ?? []) {
      try { appendFileSync(path, "changed"); } catch (error) { if (!["EACCES", "ETXTBSY"].includes(error.code)) throw error; }
    }
    return readFileSync("data", "utf8");
  `);
  const data: LayerFile[] = [{ name: "data", content: "as pushed" }];

  async function createWriting(...others: LayerFile[][]): Promise<string> {
    const tag = randomUUID().slice(0, 8);
    const runtime: LayerFile = { name: "runtime", content: write, mode: 0o755 };
    await registry.pushImage("app", tag, {
      layers: [data, [runtime], ...others],
      config: { Entrypoint: ["/runtime"], WorkingDir: "/" },
    });
    return create({ PackageType: "Image", Code: { ImageUri: `${server.host}/app:${tag}` } });
  }

  it("changes nothing of another image with the same layer", async () => {
    await invoke(await createWriting(), { paths: ["data", "runtime"] });
    expect(await invoke(await createWriting([{ name: "other", content: "another image" }]))).toBe(
      "as pushed",
    );
  });

  it("finds nothing that it may write, if it isn't root's", async () => {
    await createWriting();
    const images = join(server.stateDirectory, "lambda", "images");
    const files = readdirSync(images, { recursive: true, encoding: "utf8" })
      .map((name) => lstatSync(join(images, name)))
      .filter((stats) => stats.isFile());
    expect(files.filter(({ mode }) => (mode & 0o222) !== 0)).toEqual([]);
    expect(files.length).toBeGreaterThan(1);
  });
});

describe("an archive", () => {
  const archive = (handler: string, mode = 0o755) => {
    const script = Buffer.from(buildRuntimeScript(handler));
    const bootstrap = [new Uint8Array(script), { attrs: mode << 16, os: 3 }] as const;
    return zipSync({ bootstrap: [...bootstrap], lib: { "data.txt": new Uint8Array(Buffer.from("data")) } });
  };
  const zip = { PackageType: "Zip", Runtime: "provided.al2023", Handler: "app.handler" } as const;

  it("runs its bootstrap, with its files beside it", async () => {
    const ZipFile = archive(
      "return [process.env._HANDLER, require('node:fs').readFileSync(process.env.LAMBDA_TASK_ROOT + '/lib/data.txt', 'utf8')];",
    );
    const FunctionName = await create({ ...zip, Code: { ZipFile } });
    expect(await invoke(FunctionName)).toEqual(["app.handler", "data"]);
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: archive("return 2;") }));
    await waitUntilFunctionUpdatedV2(waiting(), { FunctionName });
    expect(await invoke(FunctionName)).toBe(2);
  });

  it("reaches the registry under ECR's real names, and nothing else, through this server", async () => {
    const ZipFile = archive(
      "const { HTTP_PROXY, HTTPS_PROXY, CONTAINERS_REGISTRIES_CONF } = process.env; return [HTTP_PROXY, HTTPS_PROXY, require('node:fs').readFileSync(CONTAINERS_REGISTRIES_CONF, 'utf8')];",
    );
    expect(await invoke(await create({ ...zip, Code: { ZipFile } }))).toEqual([
      server.endpoint,
      server.endpoint,
      '[[registry]]\nprefix = "*.amazonaws.com"\ninsecure = true\n',
    ]);
  });

  it("whose bootstrap may not be run says so", async () => {
    const FunctionName = await create({ ...zip, Code: { ZipFile: archive("return 1;", 0o644) } });
    expect(await invoke(FunctionName)).toMatchObject({
      errorType: "Runtime.InvalidEntrypoint",
      errorMessage: expect.stringContaining("permission denied"),
    });
  });

  it("that is not there is refused", async () => {
    await expect(create({ ...zip, Code: { S3Bucket: "none", S3Key: "none" } })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: expect.stringContaining("Error occurred while GetObject. S3 Error Code: NoSuch"),
    });
  });
});

describe("a killed server", () => {
  it("leaves no process behind, and the next one runs what was there", async () => {
    // It goes on when its Runtime API is gone.
    const tenacious = buildRuntimeScript(
      "return process.pid;",
      "process.on('uncaughtException', () => {}); setInterval(() => {}, 1000);",
    );
    const tag = randomUUID().slice(0, 8);
    await registry.pushImage("app", tag, {
      layers: [[{ name: "runtime", content: tenacious, mode: 0o755 }]],
      config: { Entrypoint: ["/runtime"] },
    });
    const name = await create({ PackageType: "Image", Code: { ImageUri: `${server.host}/app:${tag}` } });
    const gone = await create({ PackageType: "Image", Code: { ImageUri: `${server.host}/app:${tag}` } });
    const before = Number(await invoke(name));
    expect(readProcFile(before, "status")).toBeDefined();
    await lambda.send(new DeleteFunctionCommand({ FunctionName: gone }));
    await server.restart("SIGKILL");
    await waitUntil(async () => (readProcFile(before, "status") === undefined ? true : undefined));
    const after = Number(await invoke(name));
    expect(after).not.toBe(before);
    expect(readProcFile(after, "status")).toBeDefined();
  });

  it("leaves no folder that no function needs", async () => {
    const folders = ["images", "layers", "archives"].map((name) =>
      join(server.stateDirectory, "lambda", name),
    );
    for (const folder of folders) expect(readdirSync(folder).length).toBeGreaterThan(0);
    const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
    for (const { FunctionName } of Functions) await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await server.restart("SIGKILL");
    for (const folder of folders) expect(readdirSync(folder)).toEqual([]);
  });
});
