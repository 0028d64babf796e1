import { CodedError } from "@workspace/shared-config";
import { Command } from "commander";
import type { BuildOptions, BuildSurroundings } from "./commands/build.ts";
import type { CommandContext } from "./commands/command-context.ts";
import { refusedBuildOptions } from "./commands/refused-options.ts";
import { formatBytes } from "./progress/progress.ts";
import { getImage, tagImage } from "./store/local-images.ts";

export interface ProgramProps extends BuildSurroundings {
  /** Where docker keeps its config.json. */
  readonly dockerConfigDirectory: string;
  readonly openContext: (props: { dockerConfigDirectory: string }) => Promise<CommandContext>;
  readonly readInput: () => Promise<string>;
}

/** The command line, in docker's words. Each command loads its own modules alone: starting up is most of its time. */
export function buildProgram(props: ProgramProps): Command {
  const program = new Command("oci-build")
    .description("A container CLI that needs no engine, for Dockerfiles without RUN.")
    .option("--config <directory>", "the folder of docker's config.json", props.dockerConfigDirectory);
  const configDirectory = (): string => program.getOptionValue("config");
  const open = () => props.openContext({ dockerConfigDirectory: configDirectory() });

  const build = program
    .command("build")
    .description("Build an image from a Dockerfile without RUN")
    .argument("<directory>", "the build context")
    .option("-t, --tag <name>", "name of the image (repeatable)", collect, [])
    .option("--platform <platform>", "such as linux/arm64 (default: this machine's)")
    .option("--build-arg <assignment>", "NAME=VALUE for an ARG (repeatable)", collect, [])
    .option("--label <assignment>", "NAME=VALUE for the image (repeatable)", collect, [])
    .option("-f, --file <path>", "the Dockerfile (default: Dockerfile in the build context)")
    .option("--target <stage>", "the stage to build (default: the last)")
    .option("--iidfile <path>", "write the image's digest there")
    .option("--no-cache", "write every layer again")
    .option("-q, --quiet", "print the image's digest and nothing else")
    .action(async (directory: string, options: BuildOptions) => {
      const { runBuild } = await import("./commands/build.ts");
      await runBuild(await open(), directory, options, props);
    });
  for (const [flags, why] of refusedBuildOptions) {
    build.option(flags, `not supported: ${why}`, () => {
      throw new CodedError({
        code: "E_OPTION_UNSUPPORTED",
        what: `oci-build does not support this option: ${why}`,
        value: flags.split(" ")[0],
        remedy: "Leave it out, or build with an engine: CDK_DOCKER=docker (or podman, finch, buildah).",
      });
    });
  }

  program
    .command("tag")
    .description("Give an image another name")
    .argument("<source>")
    .argument("<target>")
    .action(async (source: string, target: string) => {
      const { store } = await open();
      tagImage(store, target, getImage(store, source).descriptor);
    });

  program
    .command("push")
    .description("Send an image to its registry")
    .argument("<name>")
    .action(async (name: string) => {
      const { pushImage } = await import("./registry/push-image.ts");
      const context = await open();
      const { digest, size } = await pushImage({ ...context, name });
      context.print(`digest: ${digest} size: ${size}`);
    });

  program
    .command("login")
    .description("Keep a registry's user name and password where docker keeps them")
    .argument("<server>")
    .requiredOption("-u, --username <name>")
    .requiredOption("--password-stdin", "take the password from standard input")
    .action(async (server: string, { username }: { username: string }) => {
      const { runLogin } = await import("./commands/login.ts");
      const passwordInput = await props.readInput();
      await runLogin(await open(), {
        server,
        username,
        passwordInput,
        dockerConfigDirectory: configDirectory(),
      });
    });

  program
    .command("inspect")
    .description("Print what an image is, as JSON; exits 1 where there is none")
    .argument("<name...>")
    .action(async (names: string[]) => {
      const { runInspect } = await import("./commands/inspect.ts");
      runInspect(await open(), names);
    });

  program
    .command("prune")
    .description(
      "Remove from the local store what has not been written lately; it is made again when it is needed",
    )
    .option("--days <number>", "how old it must be", parseDays, 30)
    .action(async ({ days }: { days: number }) => {
      const { store, print } = await open();
      print(`freed ${formatBytes(store.prune(Date.now() - days * 86_400_000))}`);
    });

  return program;
}

function parseDays(value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new CodedError({
    code: "E_USAGE",
    what: "--days is not a whole number",
    value,
    remedy: "Give one such as 30.",
  });
}

function collect(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
