/** One setting that differs. */
export interface SettingChange {
  /** Dotted: `MemorySize`, `LoggingConfig.LogFormat`, `Environment.Variables.GREETING`. */
  readonly name: string;
  /** JSON; `undefined` where it is not set. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Compares two configurations, setting by setting. Values of environment variables are never shown: they may be secret. */
export function diffSettings(before: object, after: object): SettingChange[] {
  const old = new Map(flatten(before));
  const now = new Map(flatten(after));
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => ({ name, before: hide(name, old.get(name)), after: hide(name, now.get(name)) }));
}

function flatten(value: unknown, path: readonly string[] = []): [name: string, json: string][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, member]) => flatten(member, [...path, key]));
  }
  return value === undefined ? [] : [[path.join("."), JSON.stringify(value)]];
}

function hide(name: string, json: string | undefined): string | undefined {
  return json !== undefined && name.startsWith("Environment.Variables.") ? "(hidden)" : json;
}
