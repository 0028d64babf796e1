import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compileEngine } from "@workspace/lambda-runtime/compile";
import { parseHostArchitecture } from "@workspace/shared-config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildApp } from "./app-bundle.ts";

describe("the packages of a bundle", () => {
  let directory: string;
  const write = (path: string, content: string | object) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), typeof content === "string" ? content : JSON.stringify(content));
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bundled-packages-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("are those that are in it, nested versions too, and none that was shaken off", async () => {
    const packages = {
      "node_modules/@scope/used": { name: "@scope/used", version: "1.0.0", license: "MIT" },
      "node_modules/@scope/used/node_modules/nested": {
        name: "nested",
        version: "2.0.0",
        license: { type: "X" },
      },
      "node_modules/nested": { name: "nested", version: "1.0.0" },
      "node_modules/unused": { name: "unused", version: "1.0.0", sideEffects: false },
    };
    for (const [path, value] of Object.entries(packages)) {
      write(`${path}/package.json`, { main: "index.js", type: "module", ...value });
    }
    write("node_modules/@scope/used/index.js", 'import { x } from "nested"; export const used = () => x;');
    write("node_modules/@scope/used/node_modules/nested/index.js", "export const x = Math.random();");
    write("node_modules/nested/index.js", "export const y = Math.random();");
    write("node_modules/unused/index.js", "export const z = 1;");
    write(
      "src/handler.ts",
      'import { used } from "@scope/used"; import { y } from "nested"; import "unused"; import { own } from "./own.ts"; export const handler = () => [used(), y, own];',
    );
    write("src/own.ts", "export const own = 1;");
    const engine = await compileEngine(parseHostArchitecture(process.arch));
    const build = () => buildApp(join(directory, "src/handler.ts"), engine);
    const { packages: found } = await build();
    expect(found).toEqual([
      { name: "@scope/used", version: "1.0.0", license: "MIT" },
      { name: "nested", version: "1.0.0", license: undefined },
      { name: "nested", version: "2.0.0", license: undefined },
    ]);
    write("node_modules/nested/package.json", { main: "index.js", name: "nested", version: "1.0.1" });
    expect((await build()).packages.map(({ version }) => version)).toEqual(["1.0.0", "1.0.1", "2.0.0"]);
  });
});
