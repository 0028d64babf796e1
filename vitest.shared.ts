import { defineConfig } from "vitest/config";

/** Every project's `vitest run`: the tests beside the sources, and a JSON report that `.ci/run` adds up. */
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/results.json" }]],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
