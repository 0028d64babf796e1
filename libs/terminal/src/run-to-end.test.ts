import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";

const workspaceRoot = join(import.meta.dirname, "../../..");

/** Runs the body of a command in a process that something else would hold for ever. */
async function run(body: string, { readsOutput = true }: { readsOutput?: boolean } = {}) {
  const script = `
    import { CodedError } from "@workspace/shared-config";
    import { print, runToEnd } from ${JSON.stringify(join(import.meta.dirname, "run-to-end.ts"))};
    setInterval(() => {}, 1_000);
    await runToEnd(process, async () => { ${body} });
  `;
  const child = spawn(join(workspaceRoot, "node_modules/.bin/bun"), ["--eval", script], {
    cwd: import.meta.dirname,
  });
  child.stdin.end();
  if (!readsOutput) child.stdout.destroy();
  const [stdout, stderr, [code]] = await Promise.all([
    readsOutput ? text(child.stdout) : "",
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, stdout, stderr };
}

it("ends with the command's exit code and all of its output, whatever else goes on", async () => {
  const body = 'process.exitCode = 3; await print(process.stdout, "x".repeat(1_000_000));';
  expect(await run(body)).toEqual({ code: 3, stdout: "x".repeat(1_000_000), stderr: "" });
});

it("ends with what the command fails by", async () => {
  const failure = '{ code: "E_X", what: "x is wrong", remedy: "Mend x.", exitCode: 4 }';
  const coded = await run(`throw new CodedError(${failure});`);
  expect(coded).toMatchObject({ code: 4, stderr: expect.stringContaining("E_X: x is wrong") });
  const bug = await run('throw new TypeError("a bug");');
  expect(bug).toMatchObject({ code: 1, stderr: expect.stringContaining("TypeError: a bug") });
});

it("keeps the exit code where nobody reads the output any more", async () => {
  const body = `
    await Bun.sleep(50);
    process.exitCode = 3;
    const seen = await print(process.stdout, "result");
    await print(process.stderr, seen);
  `;
  expect(await run(body, { readsOutput: false })).toEqual({ code: 3, stdout: "", stderr: "unread" });
});
