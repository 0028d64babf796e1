import { mkdtempSync, rmSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** What tests leave there, such as the assemblies that the CDK writes, goes when they end. */
const temporaryFolder = mkdtempSync(join(tmpdir(), "tests-"));
process.on("exit", () => rmSync(temporaryFolder, { recursive: true, force: true }));

/** Nor does anyone's AWS account have a part in tests: a profile would win over the keys that they sign with. */
for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];

/** For repositories that tests make: what the user's own configuration asks for, such as hooks, is meant for others. */
const gitSettings = {
  "user.name": "Tests",
  "user.email": "tests@example.com",
  "commit.gpgSign": "false",
  "core.autocrlf": "false",
  "core.hooksPath": devNull,
};
const gitEnvironment = Object.entries(gitSettings).map(([key, value], index) => ({
  [`GIT_CONFIG_KEY_${index}`]: key,
  [`GIT_CONFIG_VALUE_${index}`]: value,
}));

/** Every project's `vitest run`: the tests beside the sources, and a JSON report that `.ci/run` adds up. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/results.json" }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: {
      TMPDIR: temporaryFolder,
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      GIT_CONFIG_COUNT: String(gitEnvironment.length),
      ...Object.assign({}, ...gitEnvironment),
    },
  },
});
