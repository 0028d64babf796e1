import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildBuildArgv, buildLoginArgv, buildPushArgv, createContainerCli } from "./container-cli.ts";

const build = {
  reference: "127.0.0.1:1/lambda-app-local:content-0a1b",
  directory: "/tmp/a context",
  platform: "linux/arm64",
  buildArgs: { BASE_IMAGE: "scratch" },
};

describe("the argv lists", () => {
  it("of build", () => {
    expect(buildBuildArgv(build)).toEqual([
      "build",
      "--tag",
      "127.0.0.1:1/lambda-app-local:content-0a1b",
      "--platform",
      "linux/arm64",
      "--build-arg",
      "BASE_IMAGE=scratch",
      "/tmp/a context",
    ]);
  });

  it("of login, without the password", () => {
    const argv = buildLoginArgv({ host: "127.0.0.1:1", username: "AWS", password: "secret" });
    expect(argv).toEqual(["login", "--username", "AWS", "--password-stdin", "127.0.0.1:1"]);
  });

  it("of push", () => {
    expect(buildPushArgv(build.reference)).toEqual(["push", build.reference]);
  });
});

describe("createContainerCli", () => {
  let directory: string;
  let record: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "container-cli-"));
    record = join(directory, "record.json");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** A real executable that records what it was started with, then does as `body` says. */
  function createExecutable(body: string): string {
    const executable = join(directory, "cli.mjs");
    const recording = `
      import { readFileSync, writeFileSync } from "node:fs";
      const { BUILDX_NO_DEFAULT_ATTESTATIONS: buildx } = process.env;
      const started = { argv: process.argv.slice(2), stdin: readFileSync(0, "utf8"), buildx };
      writeFileSync(${JSON.stringify(record)}, JSON.stringify(started));`;
    writeFileSync(executable, `#!${process.execPath}\n${recording}\n${body}`);
    chmodSync(executable, 0o755);
    return executable;
  }
  const recorded = () => JSON.parse(readFileSync(record, "utf8"));

  it("gives the password to standard input only", async () => {
    const cli = createContainerCli({ executable: createExecutable(""), onLine() {} });
    await cli.login({ host: "127.0.0.1:1", username: "AWS", password: "secret" });
    const argv = ["login", "--username", "AWS", "--password-stdin", "127.0.0.1:1"];
    expect(recorded()).toEqual({ argv, stdin: "secret", buildx: "1" });
  });

  it("logs in where Amazon's credential helper takes no credentials", async () => {
    const executable = createExecutable(
      `process.exitCode = process.env.AWS_ECR_IGNORE_CREDS_STORAGE === "true" ? 0 : 1;`,
    );
    const cli = createContainerCli({ executable, onLine() {} });
    await cli.login({ host: "127.0.0.1:1", username: "AWS", password: "secret" });
  });

  it("hands on each line of either stream", async () => {
    const lines: string[] = [];
    const executable = createExecutable(`console.log("layer 1"); console.error("layer 2\\n");`);
    await createContainerCli({ executable, onLine: (line) => lines.push(line) }).build(build);
    expect(recorded()).toEqual({ argv: buildBuildArgv(build), stdin: "", buildx: "1" });
    expect(lines.toSorted()).toEqual(["layer 1", "layer 2"]);
  });

  it("fails as the command failed, and shows what it said", async () => {
    const executable = createExecutable(`console.error("denied: no such repository"); process.exitCode = 3;`);
    const push = createContainerCli({ executable, onLine() {} }).push(build.reference);
    await expect(push).rejects.toMatchObject({
      code: "E_CONTAINER_CLI_FAILED",
      what: expect.stringContaining("ended with 3"),
      value: "denied: no such repository",
    });
  });

  it("says that an executable is missing", async () => {
    const push = createContainerCli({ executable: join(directory, "none"), onLine() {} }).push("a:b");
    await expect(push).rejects.toMatchObject({ code: "E_CONTAINER_CLI_MISSING" });
  });

  it("ends the command with the signal", async () => {
    const abort = new AbortController();
    const executable = createExecutable(`console.log("started"); setInterval(() => {}, 1000);`);
    const cli = createContainerCli({ executable, onLine: () => abort.abort(), signal: abort.signal });
    await expect(cli.push("a:b")).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  });
});
