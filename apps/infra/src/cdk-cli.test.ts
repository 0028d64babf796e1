import { describe, expect, it } from "vitest";
import { buildBootstrapArgv, buildDiffArgv, buildPrepareArgv, runCdk } from "./cdk-cli.ts";

const quiet = ["--no-notices", "--no-version-reporting", "--ci"];

describe("the argv of the CDK CLI", () => {
  it("prepares and never executes", () => {
    expect(buildPrepareArgv("/a")).toEqual([
      ...[
        "deploy",
        "--all",
        "--app",
        "/a",
        "--method",
        "prepare-change-set",
        "--change-set-name",
        "hand-off",
      ],
      ...["--require-approval", "never", ...quiet],
    ]);
  });

  it("shows a difference, and bootstraps one environment", () => {
    expect(buildDiffArgv("/a")).toEqual(["diff", "--app", "/a", "--method", "template", ...quiet]);
    expect(buildBootstrapArgv("1", "r")).toEqual(["bootstrap", "aws://1/r", ...quiet]);
  });
});

describe("runCdk", () => {
  it("says what the CLI said last where it fails", async () => {
    const lines: string[] = [];
    const run = runCdk(["ls", "--app", "/no/such/assembly", ...quiet], {
      onLine: (line) => lines.push(line),
      signal: new AbortController().signal,
    });
    await expect(run).rejects.toMatchObject({
      code: "E_CDK_FAILED",
      value: expect.stringContaining("/no/such/assembly"),
    });
    expect(lines.join("\n")).toContain("/no/such/assembly");
  });

  it("ends with its caller", async () => {
    const ended = new Error("the lease is lost");
    const run = runCdk(["ls", "--app", "/no/such/assembly"], {
      onLine: () => {},
      signal: AbortSignal.abort(ended),
    });
    await expect(run).rejects.toBe(ended);
  });
});
