import { mkdtempSync, rmSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What tests leave there, such as the assemblies that the CDK writes, goes when they end. */
const temporaryFolder = mkdtempSync(join(tmpdir(), "tests-"));
process.on("exit", () => rmSync(temporaryFolder, { recursive: true, force: true }));

/** Nor does anyone's AWS account have a part in tests: a profile would win over the keys that they sign with. */
for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];

/** Every project's `vitest run`: the tests beside the sources, and a JSON report that `.ci/run` adds up. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/results.json" }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { TMPDIR: temporaryFolder, AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull },
  },
});
