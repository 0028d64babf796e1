import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTreeWithEmptyWorkspace } from "@nx/devkit/testing";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { assertAppName } from "./app-name.cjs";
import { addFunction } from "./function-table.cjs";
import generateLambdaApp from "./generator.cjs";
import { addReference } from "./references.cjs";

const root = join(import.meta.dirname, "../../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("assertAppName", () => {
  it.each(["a", "payments", "payment-events", "s3-sync-2", "a".repeat(40)])("takes %j", (name) => {
    expect(() => assertAppName(name, ["lambda-app"])).not.toThrow();
  });

  it.each(["", "Payments", "payment_events", "-a", "a-", "a--b", "2fast", "a b", "../a", "a".repeat(41)])(
    "refuses %j and shows it",
    (name) => {
      expect(() => assertAppName(name, [])).toThrow("E_APP_NAME");
      expect(() => assertAppName(name, [])).toThrow(JSON.stringify(name));
    },
  );

  it.each(["aws-report", "awsome", "ssm", "ssm-sync", "deploy-roles"])(
    "refuses %j, which is AWS's or the workspace's own",
    (name) => expect(() => assertAppName(name, [])).toThrow(/E_APP_NAME.*aws or ssm.*Choose another/),
  );

  it("refuses the name of any project", () => {
    expect(() => assertAppName("infra", ["infra"])).toThrow(
      'E_APP_EXISTS: a project of that name is there already (got "infra")',
    );
  });
});

describe("addFunction", () => {
  const table = read("libs/shared-config/src/functions.ts");

  it.each([
    ["payments", '  payments: { architecture: "x86_64" },'],
    ["payment-events", '  "payment-events": { architecture: "x86_64" },'],
  ])("adds one line for %s, and nothing else", (name, line) => {
    const before = table.split("\n");
    const after = addFunction(table, name).split("\n");
    const at = after.indexOf(line);
    expect(at).toBeGreaterThan(
      before.indexOf("export const functions: Readonly<Record<string, FunctionConfig>> = {"),
    );
    expect(after.toSpliced(at, 1)).toEqual(before);
  });

  it("refuses a file without the table", () => {
    expect(() => addFunction("export {};\n", "payments")).toThrow("E_FUNCTION_TABLE");
  });
});

describe("addReference", () => {
  const oneLine = '{\n  "references": [\n    { "path": "./apps/a" },\n    { "path": "./tools/t" }\n  ]\n}\n';
  const threeLines = `${JSON.stringify(JSON.parse(oneLine), undefined, 2)}\n`;

  it.each([
    ["entries on one line", oneLine, [3, 4], '    { "path": "./apps/b" },'],
    ["entries on three lines", threeLines, [5, 8], '    {\n      "path": "./apps/b"\n    },'],
  ])("adds one after the last app, and nothing else: %s", (_form, source, [start = 0, end = 0], added) => {
    const after = addReference(source, "./apps/b").split("\n");
    expect(after.slice(start, end).join("\n")).toBe(added);
    expect(after.toSpliced(start, end - start).join("\n")).toBe(source);
  });

  it("keeps the list valid where the last app is its last entry", () => {
    const source = '{\n  "references": [\n    { "path": "./apps/a" }\n  ]\n}\n';
    expect(JSON.parse(addReference(source, "./apps/b"))).toEqual({
      references: [{ path: "./apps/a" }, { path: "./apps/b" }],
    });
  });

  it("knows the workspace's own", () => {
    const { references } = JSON.parse(addReference(read("tsconfig.json"), "./apps/payments"));
    expect(references).toContainEqual({ path: "./apps/payments" });
  });

  it("refuses a file without apps", () => {
    expect(() => addReference("{}", "./apps/b")).toThrow("E_ROOT_REFERENCES");
  });
});

describe("the generated app has the shape of apps/lambda-app", () => {
  const tree = createTreeWithEmptyWorkspace();
  for (const path of ["libs/shared-config/src/functions.ts", "tsconfig.json"]) tree.write(path, read(path));
  generateLambdaApp(tree, { name: "payments" });

  const files = execaSync("git", ["ls-files"], { cwd: join(root, "apps/lambda-app") }).stdout.split("\n");

  it("has its files, and no others", () => {
    const generated = tree.listChanges().map(({ path }) => path);
    expect(generated.filter((path) => path.startsWith("apps/")).sort()).toEqual(
      files.map((file) => `apps/payments/${file}`).sort(),
    );
  });

  it.each(files)("%s", (file) => {
    const own = read(`apps/lambda-app/${file}`).replaceAll("lambda-app", "payments");
    expect(tree.read(`apps/payments/${file}`, "utf-8")).toBe(own);
  });
});
