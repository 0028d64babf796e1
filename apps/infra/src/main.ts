import { explainAwsFailure, refuseOtherAccount } from "@workspace/handoff";
import { defaultStageName, stageNames } from "@workspace/shared-config";
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
import { Command } from "commander";
import { bootstrap } from "./commands/bootstrap.ts";
import { deploy } from "./commands/deploy.ts";
import { destroy, planDestroy } from "./commands/destroy.ts";
import { diff } from "./commands/diff.ts";
import { deployRoles } from "./commands/roles.ts";
import { synth } from "./commands/synth.ts";
import type { Surroundings } from "./surroundings.ts";

interface Options {
  readonly stage?: string;
  readonly function?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly repository?: string;
  readonly hasProvider?: boolean;
}

const interruption = listenForInterruption(process);

function readSurroundings({ stage: chosen }: Options, view: ProgressView): Surroundings {
  const stage = parseStageChoice(chosen === undefined ? [] : ["--stage", chosen], process.env);
  const { AWS_REGION: region, BASE_IMAGE: baseImage } = buildStageEnvironment(stage, process.env);
  return {
    stage,
    region,
    baseImage,
    nodeArch: process.arch,
    onProgress: interruption.endWaits(view.show),
    onDetail: view.detail,
    signal: interruption.signal,
  };
}

const program = new Command("infra").description(
  "Where the functions run: the CDK app, and what deploys it.",
);

function addCommand(
  name: string,
  description: string,
  work: (surroundings: Surroundings, options: Options) => Promise<CommandResult>,
): Command {
  return program
    .command(name)
    .description(description)
    .option("--stage <name>", `${stageNames.join(", ")} (default: $STAGE, or ${defaultStageName})`)
    .option("--json", "print the result as one JSON document")
    .action(async (options: Options) => {
      const view = await createProgressView(process.stderr);
      const surroundings = readSurroundings(options, view);
      try {
        await refuseOtherAccount(surroundings.stage, surroundings.region);
        const result = await work(surroundings, options);
        view.end("succeeded");
        await print(process.stdout, formatResult(result, options.json === true));
      } catch (error) {
        view.end("failed");
        const project = options.function ?? "FUNCTION";
        const verify = `nx run ${project}:verify --stage ${surroundings.stage.name} --for deploy`;
        throw explainAwsFailure(error, verify);
      }
    });
}

const oneFunction = ["--function <name>", "one function, by its folder under apps/ (default: all)"] as const;
const dryRun = ["--dry-run", "say what would be done, and move nothing"] as const;

async function showDiff(surroundings: Surroundings, only: string | undefined): Promise<CommandResult> {
  const text = await diff(surroundings, only);
  return { lines: [text], value: { diff: text } };
}

addCommand(
  "deploy",
  "Brings the stacks to the template, with the published image, and makes a changed configuration live.",
  async (surroundings, options) => {
    if (options.dryRun === true) return showDiff(surroundings, options.function);
    const deployed = await deploy(surroundings, options.function);
    const lines = deployed.flatMap(({ project, published, live, functionUrl }) => [
      `${project}: ${published.kind === "published" ? published.tag : "the placeholder"} is live as version ${live.version}`,
      ...(functionUrl === undefined ? [] : [functionUrl]),
    ]);
    return { lines, value: deployed };
  },
)
  .option(...oneFunction)
  .option(...dryRun);

addCommand("synth", "Writes the templates, with what is published now.", async (surroundings, options) => {
  const assembly = await synth(surroundings, options.function);
  return { lines: [assembly], value: { assembly } };
}).option(...oneFunction);

addCommand("diff", "Shows what a deploy now would change in the stacks.", (surroundings, options) =>
  showDiff(surroundings, options.function),
).option(...oneFunction);

addCommand("destroy", "Deletes the functions, and says what stays.", async (surroundings, options) => {
  const { stacks, left } = planDestroy(surroundings, options.function);
  if (options.dryRun !== true) await destroy(surroundings, options.function);
  const verb = options.dryRun === true ? "would be deleted" : "deleted";
  return {
    lines: [
      ...stacks.map((stack) => `${verb}: ${stack}`),
      ...left.flatMap(({ what, removedBy }) => [`stays: ${what}`, `  ${removedBy}`]),
    ],
    value: { dryRun: options.dryRun === true, stacks, left },
  };
})
  .option(...oneFunction)
  .option(...dryRun);

addCommand(
  "bootstrap",
  "Sets the CDK up in the stage's account and region. Once, by an administrator.",
  async (surroundings) => {
    await bootstrap(surroundings);
    return { lines: ["the CDK is set up"], value: { bootstrapped: true } };
  },
);

addCommand(
  "roles",
  "Makes the roles of the stage's GitHub workflows. Once, by an administrator.",
  async (surroundings, { repository = "", hasProvider = false }) => {
    const roles = await deployRoles(surroundings, repository, hasProvider);
    return { lines: roles.map(({ variable, arn }) => `${variable}=${arn}`), value: { roles } };
  },
)
  .requiredOption("--repository <owner/name>", "the GitHub repository whose jobs may take them")
  .option("--has-provider", "the account has GitHub as an identity provider already");

await runToEnd(process, () => program.parseAsync());
