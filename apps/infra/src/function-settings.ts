import type { FunctionOnStage, StageName } from "@workspace/shared-config";

/** How a function runs; everything here may change without moving its code. */
export interface FunctionSettings {
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** The function's environment variables. No secrets: they would be in the template. */
  readonly environment: Readonly<Record<string, string>>;
}

const defaults: FunctionSettings = {
  memoryMiB: 512,
  timeoutSeconds: 10,
  environment: {},
};

/** What differs for a function: `{ timeoutSeconds: 30, stages: { prod: { memoryMiB: 1769 } } }`. */
export interface SettingsOverride extends Partial<FunctionSettings> {
  /** What differs once more on a stage. */
  readonly stages?: { readonly [N in StageName]?: Partial<FunctionSettings> };
}

/** What differs from the defaults, by function. */
const overrides: Readonly<Record<string, SettingsOverride>> = {};

/**
 * A stage's value comes before the function's, and that before the default; environment variables add up.
 * @param table by function. @default the one above
 */
export function findSettings(
  { project, stage }: FunctionOnStage,
  table: Readonly<Record<string, SettingsOverride>> = overrides,
): FunctionSettings {
  const override = Object.hasOwn(table, project) ? table[project] : undefined;
  const { stages = {}, ...own } = override ?? {};
  const onStage = stages[stage.name];
  return {
    ...defaults,
    ...own,
    ...onStage,
    environment: { ...defaults.environment, ...own.environment, ...onStage?.environment },
  };
}
