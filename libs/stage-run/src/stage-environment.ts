import { CodedError, defaultStageName, parseStage, type Stage } from "@workspace/shared-config";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What differs from stage to stage, and nothing else of a command's environment. */
export interface StageEnvironment {
  readonly STAGE: string;
  readonly AWS_REGION: string;
  readonly CDK_DOCKER: string;
  readonly BASE_IMAGE: string;
}

/** Which stage a command line asks for: `--stage X` or `--stage=X`, then `STAGE`, then the default. */
export function parseStageChoice(argv: readonly string[], environment: Environment): Stage {
  const fromArgv = argv.flatMap((word, index) => {
    if (word.startsWith("--stage=")) return [word.slice("--stage=".length)];
    return word === "--stage" ? [argv[index + 1] ?? ""] : [];
  });
  if (new Set(fromArgv).size > 1) {
    throw new CodedError({
      code: "E_STAGE_AMBIGUOUS",
      what: "--stage is given more than once, with different values",
      value: fromArgv,
      remedy: "Give it once.",
    });
  }
  return parseStage(fromArgv[0] ?? (environment.STAGE || defaultStageName));
}

/**
 * What a command of the stage finds in its environment, beside what the caller's has; the caller's wins.
 * @throws CodedError `E_ENDPOINT_MALFORMED`
 */
export function buildStageEnvironment(stage: Stage, environment: Environment): StageEnvironment {
  refuseMalformedEndpoint(environment.AWS_ENDPOINT_URL);
  return {
    STAGE: stage.name,
    AWS_REGION: environment.AWS_REGION || stage.region,
    CDK_DOCKER: environment.CDK_DOCKER || stage.containerCli,
    BASE_IMAGE: environment.BASE_IMAGE || stage.baseImage,
  };
}

function refuseMalformedEndpoint(endpoint: string | undefined): void {
  if (!endpoint || (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol))) return;
  throw new CodedError({
    code: "E_ENDPOINT_MALFORMED",
    what: "AWS_ENDPOINT_URL is no URL of a server",
    value: endpoint,
    remedy: "Give one with its scheme, such as http://127.0.0.1:4566, or unset it.",
  });
}

/** The command with the stage's launcher before it, unless the caller names an endpoint of its own. */
export function buildStageArgv(
  stage: Stage,
  command: readonly string[],
  environment: Environment,
): readonly string[] {
  return environment.AWS_ENDPOINT_URL ? command : [...(stage.launcher ?? []), ...command];
}
