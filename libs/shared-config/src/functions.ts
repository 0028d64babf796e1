import { CodedError } from "./coded-error.ts";
import type { Architecture, Stage } from "./stages.ts";

/** What both sides must know of a function. Its name is that of its folder under `apps/`. */
export interface FunctionConfig {
  readonly architecture: Architecture;
}

/** Every function of the workspace: one line each. */
export const functions: Readonly<Record<string, FunctionConfig>> = {
  "lambda-app": { architecture: "x86_64" },
};

/** The alias that traffic goes to. */
export const liveAlias = "live";

/** One function on one stage, with every name that the two sides share. */
export interface FunctionOnStage {
  /** The project's name: `lambda-app`. */
  readonly project: string;
  readonly stage: Stage;
  readonly architecture: Architecture;
  /** `lambda-app-dev` */
  readonly functionName: string;
  /** `lambda-app-dev` */
  readonly repositoryName: string;
  /** `/lambda-app/dev/image-tag`: the SSM key of the published tag. */
  readonly imageTagParameter: string;
  /** `/lambda-app/dev/lease` */
  readonly leaseParameter: string;
  /** The CloudFormation stack of the function: `lambda-app-dev`. */
  readonly stackName: string;
  /** The CloudFormation stack of the repository, which outlives the function's: `lambda-app-dev-repository`. */
  readonly repositoryStackName: string;
}

/**
 * @param hostArchitecture what the machine that runs the command is, for stages that follow it
 * @throws CodedError `E_FUNCTION_UNKNOWN`
 */
export function parseFunction(
  project: string,
  stage: Stage,
  hostArchitecture: Architecture,
): FunctionOnStage {
  const config = Object.hasOwn(functions, project) ? functions[project] : undefined;
  if (config === undefined) {
    throw new CodedError({
      code: "E_FUNCTION_UNKNOWN",
      what: `function is none of ${Object.keys(functions).join(", ")}`,
      value: project,
      remedy: "Name one of them, or add a line to the function table in libs/shared-config.",
    });
  }
  const ownArchitecture = stage.architecture ?? config.architecture;
  const name = `${project}-${stage.name}`;
  return {
    project,
    stage,
    architecture: ownArchitecture === "host" ? hostArchitecture : ownArchitecture,
    functionName: name,
    repositoryName: name,
    imageTagParameter: `/${project}/${stage.name}/image-tag`,
    leaseParameter: `/${project}/${stage.name}/lease`,
    stackName: name,
    repositoryStackName: `${name}-repository`,
  };
}

/**
 * @param nodeArch as in `process.arch`
 * @throws CodedError `E_ARCHITECTURE_UNSUPPORTED`
 */
export function parseHostArchitecture(nodeArch: string): Architecture {
  if (nodeArch === "x64") return "x86_64";
  if (nodeArch === "arm64") return "arm64";
  throw new CodedError({
    code: "E_ARCHITECTURE_UNSUPPORTED",
    what: "Lambda runs x86_64 and arm64 only",
    value: nodeArch,
    remedy: "Run the command on an x64 or arm64 machine.",
  });
}
