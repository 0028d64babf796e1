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

/** What differs from the defaults, by function. */
const overrides: Readonly<Record<string, Partial<FunctionSettings>>> = {};

export function findSettings(project: string): FunctionSettings {
  return { ...defaults, ...(Object.hasOwn(overrides, project) ? overrides[project] : undefined) };
}
