import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { buildStageArgv, buildStageEnvironment, parseStageChoice } from "./stage-environment.ts";

describe("parseStageChoice", () => {
  it.each([
    [["release"], {}, "local"],
    [["release"], { STAGE: "" }, "local"],
    [["release"], { STAGE: "dev" }, "dev"],
    [["release", "--stage", "prod"], { STAGE: "dev" }, "prod"],
    [["release", "--stage=prod"], {}, "prod"],
    [["release", "--stage=prod", "--stage", "prod"], {}, "prod"],
  ])("%j with %j is %s", (argv, environment, expected) => {
    expect(parseStageChoice(argv, environment).name).toBe(expected);
  });

  it("refuses two different stages, and --stage without one", () => {
    expect(() => parseStageChoice(["--stage=dev", "--stage", "prod"], {})).toThrow("E_STAGE_AMBIGUOUS");
    expect(() => parseStageChoice(["--stage"], {})).toThrow("E_STAGE_UNKNOWN");
  });
});

describe("buildStageEnvironment", () => {
  it("fills in what the caller left open", () => {
    const { region, containerCli, baseImage } = stages.local;
    expect(buildStageEnvironment(stages.local, {})).toEqual({
      STAGE: "local",
      AWS_REGION: region,
      CDK_DOCKER: containerCli,
      BASE_IMAGE: baseImage,
    });
  });

  it("leaves what the caller chose", () => {
    const chosen = { AWS_REGION: "us-east-1", CDK_DOCKER: "podman", BASE_IMAGE: "example.com/base" };
    expect(buildStageEnvironment(stages.dev, chosen)).toEqual({ STAGE: "dev", ...chosen });
  });
});

describe("an endpoint of the caller's", () => {
  it.each(["garbage", "127.0.0.1:4566", "ftp://example.com"])("is refused where it is %j", (endpoint) => {
    expect(() => buildStageEnvironment(stages.dev, { AWS_ENDPOINT_URL: endpoint })).toThrow(
      expect.objectContaining({ code: "E_ENDPOINT_MALFORMED", value: endpoint }),
    );
  });
});

describe("buildStageArgv", () => {
  it("puts the stage's launcher before the command", () => {
    expect(buildStageArgv(stages.local, ["release"], {})).toEqual(["local-aws", "exec", "--", "release"]);
    expect(buildStageArgv(stages.dev, ["release"], {})).toEqual(["release"]);
  });

  it("leaves the launcher out where the caller names an endpoint", () => {
    const environment = { AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    expect(buildStageArgv(stages.local, ["release"], environment)).toEqual(["release"]);
  });
});

describe("the command", () => {
  const bin = join(import.meta.dirname, "../bin/stage-run");
  const env = { PATH: process.env.PATH };
  const stageRun = (...argv: string[]) => spawnSync(bin, argv, { encoding: "utf8", env });

  it("hands on the exit code, the environment and the argv", () => {
    const script = 'echo "$STAGE $CDK_DOCKER $BASE_IMAGE $1"; exit 3';
    const run = stageRun("sh", "-c", script, "sh", "--stage=dev");
    const { containerCli, baseImage } = stages.dev;
    expect(run.stdout).toBe(`dev ${containerCli} ${baseImage} --stage=dev\n`);
    expect(run.status).toBe(3);
  });

  it("ends as a killed command would end", () => {
    expect(stageRun("sh", "-c", "kill -TERM $$", "sh", "--stage=dev").status).toBe(128 + 15);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "lets the command end on %s in its own way",
    async (signal) => {
      const script = `process.on("${signal}", () => process.exit(5)); process.stdin.resume(); console.log("ready")`;
      const run = spawn(bin, ["node", "-e", script, "--", "--stage=dev"], {
        env,
        stdio: ["pipe", "pipe", "inherit"],
      });
      try {
        const ended = once(run, "exit");
        await once(run.stdout, "data");
        run.kill(signal);
        expect(await ended).toEqual([5, null]);
      } finally {
        // What was left alone ends with its input.
        run.stdin.end();
      }
    },
  );

  it.each([
    [[], "E_USAGE"],
    [[""], "E_USAGE"],
    [["", "--stage=dev"], "E_USAGE"],
    [["true", "--stage=nowhere"], "E_STAGE_UNKNOWN"],
    [["no-such-command", "--stage=dev"], "E_COMMAND_MISSING"],
  ])("%j fails with %s", (argv, code) => {
    const run = stageRun(...argv);
    expect(run.stderr).toMatch(new RegExp(`^${code}`));
    expect(run.status).toBe(1);
  });
});
