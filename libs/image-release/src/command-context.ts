import { buildHandoffClients, type HandoffClients, type OnProgress } from "@workspace/handoff";
import { type Architecture, type FunctionOnStage, parseFunction, type Stage } from "@workspace/shared-config";

/** What a command finds around itself. Only main.ts looks; everything else is told. */
export interface Surroundings {
  readonly workspaceRoot: string;
  readonly hostArchitecture: Architecture;
  /** Of the options, of `STAGE`, or the default. */
  readonly stage: Stage;
  /** `STAGE`, as a launcher sets it: what endpoint and credentials are for. @default undefined: nobody said */
  readonly environmentStage: string | undefined;
  /** `AWS_REGION`, or the stage's. */
  readonly region: string;
  /** `CDK_DOCKER`, or the stage's. */
  readonly containerCli: string;
  /** `BASE_IMAGE`, or the stage's. */
  readonly baseImage: string;
  /** Throws the `E_INTERRUPTED` out of a wait once the command is to end. */
  readonly onProgress: OnProgress;
  /** A line that a tool printed on the way. */
  readonly onDetail: (line: string) => void;
  /** A line of the result that can't wait for the end, as of a log that is followed. */
  readonly onLine: (line: string) => Promise<void>;
  /** Aborts when a person or the system asks the command to end. */
  readonly signal: AbortSignal;
}

/** What a command works with: one function on one stage. */
export interface CommandContext extends Surroundings {
  readonly fn: FunctionOnStage;
  readonly clients: HandoffClients;
}

/** Options that every command has. */
export interface SharedOptions {
  /** The function's name: `lambda-app`. */
  readonly function: string;
  readonly stage?: string;
  /** AWS profile. @default undefined: the SDK's default chain */
  readonly profile?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

/** @throws CodedError `E_FUNCTION_UNKNOWN` */
export function buildCommandContext(surroundings: Surroundings, options: SharedOptions): CommandContext {
  const { stage, region, hostArchitecture } = surroundings;
  return {
    ...surroundings,
    fn: parseFunction(options.function, stage, hostArchitecture),
    clients: buildHandoffClients({
      region,
      ...(options.profile !== undefined && { profile: options.profile }),
    }),
  };
}
