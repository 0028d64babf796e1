import { join } from "node:path";
import { buildHandoffClients, type HandoffClients, type OnProgress } from "@workspace/handoff";
import {
  type FunctionOnStage,
  functions,
  parseFunction,
  parseHostArchitecture,
  type Stage,
} from "@workspace/shared-config";

/** What the commands find around them; only main files read it from the process. */
export interface Surroundings {
  readonly stage: Stage;
  readonly region: string;
  readonly baseImage: string;
  /** As in `process.arch`. */
  readonly nodeArch: string;
  /** Throws the `E_INTERRUPTED` out of a wait once the command is to end. */
  readonly onProgress: OnProgress;
  /** A line of a tool that is at work. */
  readonly onDetail: (line: string) => void;
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal;
}

export const workspaceRoot = join(import.meta.dirname, "../../..");

/** Where assemblies and the placeholder's build contexts go. */
export const outputDirectory = join(import.meta.dirname, "../dist/cdk");

/** @param only the project's name. @default every function */
export function chooseFunctions({ stage, nodeArch }: Surroundings, only?: string): FunctionOnStage[] {
  const host = parseHostArchitecture(nodeArch);
  return (only === undefined ? Object.keys(functions) : [only]).map((project) =>
    parseFunction(project, stage, host),
  );
}

export function buildClients({ region }: Surroundings): HandoffClients {
  return buildHandoffClients({ region });
}
