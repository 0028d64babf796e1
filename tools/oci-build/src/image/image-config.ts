import { CodedError } from "@workspace/shared-config";
import type { Digest } from "./digest.ts";
import { isObject, parseJson } from "./manifest.ts";
import type { Platform } from "./platform.ts";

/** @see https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  readonly created?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly config: RuntimeConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history: readonly HistoryEntry[];
}

/** How a container of the image starts; members that no Dockerfile here can set are kept as the base has them. */
export interface RuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly [other: string]: unknown;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** @throws CodedError `E_MANIFEST_MALFORMED` */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const parsed = parseJson(bytes);
  const { architecture, os, rootfs, config, history } = parsed;
  if (typeof architecture !== "string" || typeof os !== "string" || !isObject(rootfs)) {
    throw new CodedError({
      code: "E_MANIFEST_MALFORMED",
      what: "the image's configuration lacks architecture, os or rootfs",
      value: Object.keys(parsed),
      remedy: "Choose another image: this one is no OCI or Docker image.",
    });
  }
  const diffIds = Array.isArray(rootfs.diff_ids) ? rootfs.diff_ids : [];
  return {
    ...parsed,
    architecture,
    os,
    config: isObject(config) ? config : {},
    rootfs: { type: "layers", diff_ids: diffIds },
    history: Array.isArray(history) ? history : [],
  };
}

/** What the engines put into every image that is built from scratch. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What `FROM scratch` starts with. */
export function buildScratchConfig(platform: Platform): ImageConfig {
  return {
    ...platform,
    config: { Env: [`PATH=${defaultPath}`] },
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
}
