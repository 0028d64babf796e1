import { describeProgress } from "@workspace/handoff";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { buildStageEnvironment, parseStageChoice } from "@workspace/stage-run";
import { Command } from "commander";
import { bootstrap } from "./commands/bootstrap.ts";
import { deploy } from "./commands/deploy.ts";
import { destroy } from "./commands/destroy.ts";
import { diff } from "./commands/diff.ts";
import { synth } from "./commands/synth.ts";
import type { Surroundings } from "./surroundings.ts";

interface Options {
  readonly stage?: string;
  readonly function?: string;
  readonly json?: boolean;
}

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    const remedy = "Run it again: it goes on where this run ended.";
    interruption.abort(
      new CodedError({ code: "E_INTERRUPTED", what: "the command was interrupted", value: signal, remedy }),
    );
  });
}

function readSurroundings({ stage: chosen }: Options): Surroundings {
  const stage = parseStageChoice(chosen === undefined ? [] : ["--stage", chosen], process.env);
  const { AWS_REGION: region = stage.region, BASE_IMAGE: baseImage = stage.baseImage } =
    buildStageEnvironment(stage, process.env);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  return {
    stage,
    region,
    baseImage,
    nodeArch: process.arch,
    onProgress: (progress) => say(describeProgress(progress)),
    onDetail: (line) => say(`  ${line}`),
    signal: interruption.signal,
  };
}

const program = new Command("infra").description(
  "Where the functions run: the CDK app, and what deploys it.",
);

function addCommand(
  name: string,
  description: string,
  work: (surroundings: Surroundings, only?: string) => Promise<{ lines: readonly string[]; value: unknown }>,
): void {
  program
    .command(name)
    .description(description)
    .option("--stage <name>", "the stage (default: STAGE, then local)")
    .option("--function <name>", "one function (default: every one)")
    .option("--json", "print the result as JSON")
    .action(async (options: Options) => {
      const { lines, value } = await work(readSurroundings(options), options.function);
      console.log(options.json === true ? JSON.stringify(value, undefined, 2) : lines.join("\n"));
    });
}

addCommand(
  "deploy",
  "bring the stacks to the template, with the published image; make a changed configuration live",
  async (surroundings, only) => {
    const deployed = await deploy(surroundings, only);
    const lines = deployed.flatMap(({ project, published, live, functionUrl }) => [
      `${project}: ${published.kind === "published" ? published.tag : "the placeholder"} is live as version ${live.version}`,
      ...(functionUrl === undefined ? [] : [functionUrl]),
    ]);
    return { lines, value: deployed };
  },
);
addCommand("synth", "write the templates, with what is published now", async (surroundings, only) => {
  const assembly = await synth(surroundings, only);
  return { lines: [assembly], value: { assembly } };
});
addCommand("diff", "show what a deploy now would change", async (surroundings, only) => {
  await diff(surroundings, only);
  return { lines: [], value: {} };
});
addCommand("destroy", "delete the functions; say what stays", async (surroundings, only) => {
  const left = await destroy(surroundings, only);
  return {
    lines: left.flatMap(({ what, removedBy }) => [`stays: ${what}`, `  ${removedBy}`]),
    value: { left },
  };
});
addCommand("bootstrap", "set the CDK up in the stage's account and region, once", async (surroundings) => {
  await bootstrap(surroundings);
  return { lines: ["done"], value: {} };
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
