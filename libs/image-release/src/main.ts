import { join } from "node:path";
import { refuseOtherAccount } from "@workspace/handoff";
import { CodedError, exitCodes, parseHostArchitecture } from "@workspace/shared-config";
import { buildStageEnvironment, parseStageChoice } from "@workspace/stage-run";
import {
  type CommandResult,
  createProgressView,
  formatError,
  formatResult,
  listenForInterruption,
  type ProgressView,
} from "@workspace/terminal";
import { explainAwsFailure } from "./aws-failure.ts";
import {
  buildCommandContext,
  type CommandContext,
  type SharedOptions,
  type Surroundings,
} from "./command-context.ts";
import { buildProgram } from "./program.ts";

const interruption = listenForInterruption(process);

function readSurroundings(options: SharedOptions, view: ProgressView): Surroundings {
  const stage = parseStageChoice(options.stage === undefined ? [] : ["--stage", options.stage], process.env);
  const environment = buildStageEnvironment(stage, process.env);
  const { AWS_REGION, CDK_DOCKER, BASE_IMAGE } = environment;
  return {
    workspaceRoot: join(import.meta.dirname, "../../.."),
    hostArchitecture: parseHostArchitecture(process.arch),
    stage,
    environmentStage: process.env.STAGE || undefined,
    region: AWS_REGION,
    containerCli: CDK_DOCKER,
    baseImage: BASE_IMAGE,
    onProgress: interruption.endWaits(view.show),
    onDetail: view.detail,
    onLine: (line) => process.stdout.write(`${line}\n`),
    signal: interruption.signal,
  };
}

async function runCommand(
  options: SharedOptions,
  work: (context: CommandContext) => Promise<CommandResult>,
): Promise<void> {
  const view = await createProgressView(process.stderr);
  const context = buildCommandContext(readSurroundings(options, view), options);
  try {
    await refuseOtherAccount(context.stage, context.region, options.profile);
    const result = await work(context);
    view.end("succeeded");
    process.stdout.write(formatResult(result, options.json === true));
    process.exitCode = result.exitCode ?? exitCodes.done;
  } catch (error) {
    view.end("failed");
    throw explainAwsFailure(error, context.fn);
  }
}

try {
  await buildProgram(runCommand).parseAsync();
} catch (error) {
  process.stderr.write(formatError(error));
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
