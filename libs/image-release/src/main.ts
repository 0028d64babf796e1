import { join } from "node:path";
import { explainAwsFailure, refuseOtherAccount } from "@workspace/handoff";
import { exitCodes, parseHostArchitecture } from "@workspace/shared-config";
import { buildStageEnvironment, parseStageChoice } from "@workspace/stage-run";
import {
  type CommandResult,
  createProgressView,
  formatResult,
  listenForInterruption,
  type ProgressView,
  print,
  runToEnd,
} from "@workspace/terminal";
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
    onLine: async (line) => {
      if ((await print(process.stdout, `${line}\n`)) === "unread") process.exit();
    },
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
    process.exitCode = result.exitCode ?? exitCodes.done;
    await print(process.stdout, formatResult(result, options.json === true));
  } catch (error) {
    view.end("failed");
    const { fn, stage } = context;
    throw explainAwsFailure(error, `nx run ${fn.project}:verify --stage ${stage.name}`);
  }
}

await runToEnd(process, () => buildProgram(runCommand).parseAsync());
