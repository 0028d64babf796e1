import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildRuntimeScript } from "../../testing/runtime-script.ts";
import { ExecutionEnvironment } from "./execution-environment.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "execution-environment-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("answers its runtime until that has ended", async () => {
  const file = join(directory, "bootstrap");
  const init = `process.once("SIGTERM", async () => {
    console.log("told to end, answered with " + (await call("GET", "nothing")).status);
    process.exit();
  });`;
  writeFileSync(file, buildRuntimeScript("return 1;", init), { mode: 0o755 });
  const lines: string[] = [];
  const spec = { file, argv: [], cwd: directory, environment: {} };
  const environment = await ExecutionEnvironment.start(spec, (line) => lines.push(line));
  const request = { requestId: "1", payload: Buffer.from("{}"), functionArn: "arn", timeoutMs: 60_000 };
  await environment.invoke(request).settlement;
  await environment.stop();
  expect(lines).toEqual(["told to end, answered with 404"]);
  await expect(fetch(`http://${environment.address}/`)).rejects.toThrow("fetch failed");
});
