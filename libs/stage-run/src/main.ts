import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { CodedError, exitCodes, stageNames } from "@workspace/shared-config";
import { buildStageArgv, buildStageEnvironment, parseStageChoice } from "./stage-environment.ts";

const usage = `Usage: stage-run COMMAND [ARGUMENT ...] [--stage ${stageNames.join("|")}]`;

function run(command: readonly string[]): void {
  if (!command[0]) throw new CodedError({ code: "E_USAGE", what: "no command given", remedy: usage });
  const stage = parseStageChoice(command, process.env);
  const [file = "", ...argv] = buildStageArgv(stage, command, process.env);
  const bin = join(import.meta.dirname, "../../../node_modules/.bin");
  const child = spawn(file, argv, {
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: [bin, process.env.PATH].join(delimiter),
      ...buildStageEnvironment(stage, process.env),
    },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (cause) => {
    const what = "the command could not be started";
    const remedy = "Run `npm ci`, and check the spelling.";
    fail(new CodedError({ code: "E_COMMAND_MISSING", what, value: file, remedy, cause }));
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

function fail(error: unknown): void {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}

try {
  run(process.argv.slice(2));
} catch (error) {
  fail(error);
}
