import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What tests leave there, such as the assemblies that the CDK writes, goes when they end. */
const temporaryFolder = mkdtempSync(join(tmpdir(), "tests-"));
process.on("exit", () => rmSync(temporaryFolder, { recursive: true, force: true }));

/** Every project's `vitest run`: the tests beside the sources, and a JSON report that `.ci/run` adds up. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/results.json" }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { TMPDIR: temporaryFolder },
  },
});
