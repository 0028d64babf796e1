import { statSync, writeFileSync } from "node:fs";
import { CodedError } from "@workspace/shared-config";
import { buildImage } from "../build/build-image.ts";
import { isFileError, unusablePath } from "../files/file-error.ts";
import type { Digest } from "../image/digest.ts";
import { parsePlatform } from "../image/platform.ts";
import { parseReference } from "../image/reference.ts";
import { silentProgress } from "../progress/progress.ts";
import { pullImage } from "../registry/pull-image.ts";
import { tagImage } from "../store/local-images.ts";
import type { CommandContext } from "./command-context.ts";

export interface BuildOptions {
  readonly tag: readonly string[];
  readonly platform?: string;
  readonly buildArg: readonly string[];
  readonly label: readonly string[];
  readonly file?: string;
  readonly target?: string;
  readonly iidfile?: string;
  readonly quiet?: boolean;
  /** `--no-cache` makes it false. */
  readonly cache: boolean;
}

export interface BuildSurroundings {
  /** This machine, in Node's words: `x64`, `arm64`. */
  readonly hostArchitecture: string;
  /** Seconds since 1970, as SOURCE_DATE_EPOCH has them. @default 0 */
  readonly sourceDateEpoch?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export async function runBuild(
  { store, registries, print, ...context }: CommandContext,
  directory: string,
  options: BuildOptions,
  { hostArchitecture, sourceDateEpoch, environment }: BuildSurroundings,
): Promise<void> {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CodedError({
      code: "E_CONTEXT_MISSING",
      what: "the build context is not a directory of this machine",
      value: directory,
      remedy: "Name a directory; contexts from standard input, archives and addresses need an engine.",
    });
  }
  for (const name of options.tag) parseReference(name);
  const progress = options.quiet ? silentProgress : context.progress;
  const buildPlatform = parsePlatform(hostArchitecture);
  const descriptor = await buildImage({
    store,
    contextDirectory: directory,
    ...(options.file !== undefined && { dockerfile: options.file }),
    ...(options.target !== undefined && { target: options.target }),
    platform: options.platform === undefined ? buildPlatform : parsePlatform(options.platform),
    buildPlatform,
    buildArgs: parseAssignments("--build-arg", options.buildArg, environment),
    labels: parseAssignments("--label", options.label, {}),
    epochSeconds: parseEpoch(sourceDateEpoch),
    noCache: !options.cache,
    pull: (reference, platform) => pullImage({ store, registries, reference, platform, progress }),
    progress,
  });
  if (options.iidfile !== undefined) writeDigest(options.iidfile, descriptor.digest);
  for (const name of options.tag) tagImage(store, name, descriptor);
  if (options.quiet) print(descriptor.digest);
  else progress.line(`built ${descriptor.digest}${options.tag.map((name) => ` ${name}`).join("")}`);
}

function writeDigest(path: string, digest: Digest): void {
  try {
    writeFileSync(path, digest);
  } catch (cause) {
    if (!isFileError(cause, ...unusablePath)) throw cause;
    throw new CodedError({
      code: "E_IIDFILE_UNWRITABLE",
      what: "the image's digest can't be written where --iidfile says",
      value: path,
      remedy: "Name a file in a folder that exists and can be written to.",
      cause,
    });
  }
}

/** `NAME=VALUE`; a bare `NAME` takes its value from the environment, as with docker. */
function parseAssignments(
  flag: string,
  values: readonly string[],
  environment: BuildSurroundings["environment"],
): Record<string, string> {
  const entries = values.flatMap((value): [string, string][] => {
    const equals = value.indexOf("=");
    if (equals > 0) return [[value.slice(0, equals), value.slice(equals + 1)]];
    if (equals === 0 || value === "") {
      throw new CodedError({
        code: "E_USAGE",
        what: `${flag} has no name`,
        value,
        remedy: "Give NAME=VALUE.",
      });
    }
    const inherited = environment[value];
    return inherited === undefined ? [] : [[value, inherited]];
  });
  return Object.fromEntries(entries);
}

/** @see https://reproducible-builds.org/specs/source-date-epoch/ */
function parseEpoch(value: string | undefined): number {
  if (value === undefined || value === "") return 0;
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new CodedError({
    code: "E_SOURCE_DATE_EPOCH",
    what: "SOURCE_DATE_EPOCH is not a number of seconds since 1970",
    value,
    remedy: "Correct it or unset it.",
  });
}
