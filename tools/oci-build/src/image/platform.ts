import { CodedError } from "@workspace/shared-config";

export interface Platform {
  readonly os: "linux";
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly variant?: string;
}

const aliases: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", x64: "amd64" };

/**
 * `linux/amd64`, `linux/arm64/v8`, or the architecture alone.
 *
 * @throws CodedError `E_PLATFORM_UNSUPPORTED`
 */
export function parsePlatform(value: string): Platform {
  const words = value.toLowerCase().split("/");
  const [os = "", name = "", variant, ...more] = words.length === 1 ? ["linux", ...words] : words;
  const architecture = aliases[name] ?? name;
  if (os !== "linux" || !/^[a-z0-9]+$/.test(architecture) || more.length > 0) {
    throw new CodedError({
      code: "E_PLATFORM_UNSUPPORTED",
      what: "not a platform of the form linux/ARCHITECTURE[/VARIANT]",
      value,
      remedy: "Give one such as linux/amd64 or linux/arm64. For several, build once for each.",
    });
  }
  const isDefaultVariant = variant === undefined || (architecture === "arm64" && variant === "v8");
  return { os, architecture, ...(!isDefaultVariant && { variant }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** Whether an image's own words for its platform mean this one. */
export function isPlatform(
  platform: Platform,
  image: { os?: string; architecture?: string; variant?: string },
): boolean {
  if (image.os !== platform.os || image.architecture === undefined) return false;
  const { architecture, variant } = parsePlatform(
    ["linux", image.architecture, ...(image.variant ? [image.variant] : [])].join("/"),
  );
  return architecture === platform.architecture && variant === platform.variant;
}
