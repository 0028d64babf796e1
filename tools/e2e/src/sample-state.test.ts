import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { restoreSampleState } from "./sample-state.ts";
import { createScratchWorkspace, type ScratchWorkspace } from "./scratch-workspace.ts";

const functionTable = "libs/shared-config/src/functions.ts";
const functionSettings = "apps/infra/src/function-settings.ts";

let scratch: ScratchWorkspace;
beforeAll(() => {
  scratch = createScratchWorkspace();
});
afterAll(() => scratch?.remove());

const read = (path: string) => readFileSync(join(scratch.directory, path), "utf8");

it.each([
  [functionTable, '  "lambda-app": {', '  orders: {\n    architecture: "arm64",\n  },\n  "lambda-app": {'],
  [functionSettings, "memoryMiB: 512,", "memoryMiB: 2 * 1024,"],
  [functionSettings, " = {};", ' = {\n  "lambda-app": { stages: { prod: { memoryMiB: 1769 } } },\n};'],
])("what a team writes into %s has no part in a copy", (path, from, to) => {
  const before = read(path);
  scratch.edit(path, from, to, "feat: the team's own");
  restoreSampleState(scratch.directory);
  expect(read(path)).toBe(before);
});

it("refuses a file that it doesn't know", () => {
  const before = read(functionSettings);
  scratch.write(functionSettings, before.replace("const overrides", "const byFunction"));
  expect(() => restoreSampleState(scratch.directory)).toThrow("E_SAMPLE_STATE");
});
