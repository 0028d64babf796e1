import { formatPlatform, type Platform } from "../image/platform.ts";

/** The values that `--build-arg` and the platforms give, and which of the first were asked for. */
export interface BuildArguments {
  /** What was given with `--build-arg`. */
  given(name: string): string | undefined;
  /** `TARGETARCH` and its like. */
  automatic(name: string): string | undefined;
  /** Names that were given and never asked for. */
  unused(): string[];
}

/** @see https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
export function createBuildArguments(
  buildArgs: Readonly<Record<string, string>>,
  platforms: { readonly target: Platform; readonly build: Platform },
): BuildArguments {
  const given = new Map(Object.entries(buildArgs));
  const unused = new Set(given.keys());
  const automatic = new Map([
    ...platformArguments("TARGET", platforms.target),
    ...platformArguments("BUILD", platforms.build),
  ]);
  return {
    given(name) {
      unused.delete(name);
      return given.get(name);
    },
    automatic: (name) => automatic.get(name),
    unused: () => [...unused].sort(),
  };
}

function platformArguments(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, ""],
  ];
}
