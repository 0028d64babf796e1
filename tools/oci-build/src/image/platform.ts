import { CodedError } from "@workspace/shared-config";

/** What AWS Lambda runs, in Go's words. */
const architectures = ["amd64", "arm64"] as const;

type Architecture = (typeof architectures)[number];

export interface Platform {
  readonly os: "linux";
  readonly architecture: Architecture;
}

/**
 * Every name that docker takes for it; `x64` is Node's.
 *
 * @see https://github.com/containerd/platforms/blob/main/database.go
 */
const architectureNames: Readonly<Record<Architecture, RegExp>> = {
  amd64: /^(amd64|x86[_-]64|x64)(\/v1)?$/,
  arm64: /^(arm64|aarch64)(\/v?8)?$/,
};

/**
 * `linux/amd64`, `linux/arm64/v8`, or the architecture alone.
 *
 * @throws CodedError `E_PLATFORM_UNSUPPORTED`
 */
export function parsePlatform(value: string): Platform {
  const name = value.toLowerCase().replace(/^linux\//, "");
  const architecture = architectures.find((known) => architectureNames[known].test(name));
  if (architecture !== undefined) return { os: "linux", architecture };
  throw new CodedError({
    code: "E_PLATFORM_UNSUPPORTED",
    what: "not a platform that oci-build builds for",
    value,
    remedy: "Give linux/amd64 or linux/arm64. For both, build once for each.",
  });
}

export function formatPlatform({ os, architecture }: Platform): string {
  return `${os}/${architecture}`;
}

/** Whether an image's own words for its platform mean this one. */
export function isPlatform(
  platform: Platform,
  { os, architecture, variant }: { os?: string; architecture?: string; variant?: string },
): boolean {
  if (os !== platform.os || architecture === undefined) return false;
  return architectureNames[platform.architecture].test(variant ? `${architecture}/${variant}` : architecture);
}
