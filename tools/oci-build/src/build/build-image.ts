import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CodedError } from "@workspace/shared-config";
import type { CopyInstruction } from "../dockerfile/instruction.ts";
import { parseDockerfile } from "../dockerfile/parse-dockerfile.ts";
import { findCopySource, findTargetStage, type StageBase, splitStages } from "../dockerfile/stages.ts";
import { expandWord } from "../dockerfile/words.ts";
import { createDiskTree, readIgnoreFile } from "../files/disk-tree.ts";
import { createFileDigester } from "../files/file-digest.ts";
import { isFileError, unusablePath } from "../files/file-error.ts";
import type { Change, FileTree } from "../files/file-tree.ts";
import { createMemoryTree } from "../files/memory-tree.ts";
import { buildScratchConfig, type ImageConfig } from "../image/image-config.ts";
import { type Descriptor, type ImageManifest, mediaTypes } from "../image/manifest.ts";
import { type Platform, parsePlatform } from "../image/platform.ts";
import type { BaseImage, Layer } from "../layer/layer.ts";
import { readLayer } from "../layer/read-layer.ts";
import { writeLayer } from "../layer/write-layer.ts";
import { formatBytes, type Progress } from "../progress/progress.ts";
import type { Store } from "../store/store.ts";
import { createBuildArguments } from "./build-arguments.ts";
import { type BuiltStage, buildStage, evaluateGlobals } from "./build-stage.ts";

export interface BuildImageProps {
  readonly store: Store;
  readonly contextDirectory: string;
  /** @default `Dockerfile` in the context */
  readonly dockerfile?: string;
  /** A stage's name or number. @default the last one */
  readonly target?: string;
  readonly platform: Platform;
  /** The platform of this machine, which FROM --platform=$BUILDPLATFORM means. */
  readonly buildPlatform: Platform;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The time of the image and of its files, in seconds since 1970. */
  readonly epochSeconds: number;
  readonly noCache: boolean;
  /** Fetches a base image. */
  readonly pull: (reference: string, platform: Platform) => Promise<BaseImage>;
  readonly progress: Progress;
}

/**
 * Builds the image that a Dockerfile describes into the store: an OCI manifest for one platform. The same context,
 * Dockerfile, arguments and base images give the same digest.
 *
 * @throws CodedError `E_DOCKERFILE_MISSING`, `E_DOCKERFILE_UNSUPPORTED`, `E_DOCKERFILE_MALFORMED`,
 * `E_DOCKERFILE_TARGET`, `E_COPY_SOURCE_MISSING`, `E_COPY_DESTINATION`, `E_FILE_CHANGED` and those of `pull`
 */
export async function buildImage(props: BuildImageProps): Promise<Descriptor> {
  const { store, contextDirectory, platform, progress } = props;
  const dockerfilePath = props.dockerfile ?? join(contextDirectory, "Dockerfile");
  const { instructions, escapeCharacter } = parseDockerfile(readDockerfile(dockerfilePath));
  const buildArguments = createBuildArguments(props.buildArgs, {
    target: platform,
    build: props.buildPlatform,
  });
  const globals = evaluateGlobals(instructions, escapeCharacter, buildArguments);
  const stages = splitStages(instructions, escapeCharacter, globals);
  const target = findTargetStage(stages, props.target);
  if (target === undefined) {
    throw new CodedError({
      code: "E_DOCKERFILE_TARGET",
      what: "the Dockerfile has no such stage",
      value: props.target,
      remedy: `Choose one of: ${stages.map((stage) => stage.from.stageName ?? stage.index).join(", ")}`,
    });
  }

  const ignored = readIgnoreFile(contextDirectory, dockerfilePath);
  const context = createDiskTree({
    directory: contextDirectory,
    ...(ignored !== undefined && { ignored }),
    digestFile: createFileDigester(store),
  });

  const opened = new Map<string, Promise<BuiltStage>>();

  /** Opens each base once, however many stages start from it or copy out of it. */
  function openBase(base: StageBase, basePlatform: Platform): Promise<BuiltStage> {
    const key = JSON.stringify([base, base.kind === "stage" ? "" : basePlatform]);
    const found = opened.get(key) ?? makeBase(base, basePlatform);
    opened.set(key, found);
    return found;
  }

  async function makeBase(base: StageBase, basePlatform: Platform): Promise<BuiltStage> {
    if (base.kind === "stage") return build(base.index);
    if (base.kind === "scratch") {
      const scratch = buildScratchConfig(basePlatform);
      return { base: scratch, config: scratch.config, layers: [], history: [], tree: createMemoryTree() };
    }
    progress.line(`FROM ${base.reference}`);
    const { config, layers } = await props.pull(base.reference, basePlatform);
    const tree = createMemoryTree(await readChanges(store, layers));
    return { base: config, config: config.config, layers, history: config.history, tree };
  }

  async function build(index: number): Promise<BuiltStage> {
    const stage = stages[index];
    if (stage === undefined) throw new Error(`there is no stage ${index}`);
    const platformWord = stage.from.platform && expandWord(stage.from.platform, globals, escapeCharacter);
    const stagePlatform = platformWord ? parsePlatform(platformWord) : platform;
    const base = await openBase(stage.base, stagePlatform);
    const start = { ...base, tree: createMemoryTree(await readChanges(store, base.layers)) };
    const findSource = async (instruction: CopyInstruction): Promise<FileTree> =>
      instruction.from === undefined
        ? context
        : (await openBase(findCopySource(instruction, stage, stages), stagePlatform)).tree;
    return buildStage({ stage, start, escapeCharacter, buildArguments, globals, findSource });
  }

  const built = await build(target.index);
  const layers: Layer[] = [];
  for (const layer of built.layers) {
    if (!("changes" in layer)) {
      layers.push(layer);
      continue;
    }
    const written = await writeLayer({ ...props, changes: layer.changes });
    progress.line(
      `${layer.createdBy}  ${formatBytes(written.descriptor.size)}${written.cached ? ", cached" : ""}`,
    );
    layers.push({ descriptor: written.descriptor, diffId: written.diffId });
  }
  for (const name of buildArguments.unused()) progress.line(`warning: no stage uses --build-arg ${name}`);
  return storeImage(props, built, layers);
}

/** What each layer changes, the lowest first. */
async function readChanges(store: Store, layers: BuiltStage["layers"]): Promise<(readonly Change[])[]> {
  const all: (readonly Change[])[] = [];
  for (const layer of layers) all.push("changes" in layer ? layer.changes : await readLayer(store, layer));
  return all;
}

function storeImage(
  { store, epochSeconds, labels }: BuildImageProps,
  { base, config, history }: BuiltStage,
  layers: readonly Layer[],
): Descriptor {
  const created = new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
  const hasLabels = Object.keys(labels).length > 0;
  const imageConfig: ImageConfig = {
    created,
    architecture: base.architecture,
    ...(base.variant !== undefined && { variant: base.variant }),
    os: base.os,
    config: { ...config, ...(hasLabels && { Labels: { ...config.Labels, ...labels } }) },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: history.map((entry) => ({ created, ...entry })),
  };
  const configBytes = Buffer.from(JSON.stringify(imageConfig));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: {
      mediaType: mediaTypes.ociConfig,
      digest: store.putBlob(configBytes),
      size: configBytes.byteLength,
    },
    layers: layers.map(({ descriptor: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  return {
    mediaType: manifest.mediaType,
    digest: store.putBlob(manifestBytes),
    size: manifestBytes.byteLength,
  };
}

function readDockerfile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isFileError(cause, ...unusablePath)) throw cause;
    throw new CodedError({
      code: "E_DOCKERFILE_MISSING",
      what: "there is no Dockerfile that can be read",
      value: path,
      remedy: "Check the directory, or name the file with --file.",
      cause,
    });
  }
}
