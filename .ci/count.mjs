// Adds up the reports that the projects' test targets wrote. A project with tests and no report counts as failed.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const projects = [
  "docker",
  ...["apps", "libs", "tools"].flatMap((room) => readdirSync(room).map((name) => join(room, name))),
];
let passed = 0;
let failed = 0;
let skipped = 0;

for (const project of projects) {
  if (!existsSync(join(project, "vitest.config.ts"))) continue;
  const report = join(project, "test-results/results.json");
  if (!existsSync(report)) {
    console.log(`FAILED ${project}: its tests wrote no report`);
    failed += 1;
    continue;
  }
  const { numPassedTests, numFailedTests, numPendingTests, testResults, success } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  passed += numPassedTests;
  failed += numFailedTests;
  skipped += numPendingTests;
  for (const file of testResults) {
    if (file.status !== "passed") console.log(`FAILED ${file.name}: ${file.message}`);
    for (const test of file.assertionResults) {
      if (test.status === "failed")
        console.log(`FAILED ${test.fullName}\n${test.failureMessages.join("\n")}`);
    }
  }
  if (!success && numFailedTests === 0) failed += 1;
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (failed > 0 || passed === 0) process.exitCode = 1;
