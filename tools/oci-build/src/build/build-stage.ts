import { malformed } from "../dockerfile/dockerfile-error.ts";
import type { CopyInstruction, Instruction, Position } from "../dockerfile/instruction.ts";
import type { BuildStage } from "../dockerfile/stages.ts";
import { expandWord, type Variables } from "../dockerfile/words.ts";
import { type Change, type FileTree, normalizePath } from "../files/file-tree.ts";
import type { MemoryTree } from "../files/memory-tree.ts";
import { planCopy, planDirectory, sortChanges } from "../files/plan-copy.ts";
import type { HistoryEntry, ImageConfig, RuntimeConfig } from "../image/image-config.ts";
import type { Layer, PlannedLayer } from "../layer/layer.ts";
import type { BuildArguments } from "./build-arguments.ts";

/** A stage as far as it is known without writing its layers. */
export interface BuiltStage {
  /** What the stage's platform and history are built on. */
  readonly base: ImageConfig;
  readonly config: RuntimeConfig;
  readonly layers: readonly (Layer | PlannedLayer)[];
  readonly history: readonly HistoryEntry[];
  /** What the layers add up to. */
  readonly tree: MemoryTree;
}

export interface BuildStageProps {
  readonly stage: BuildStage;
  /** What FROM gives; its tree becomes the stage's. */
  readonly start: BuiltStage;
  readonly escapeCharacter: string;
  readonly buildArguments: BuildArguments;
  readonly globals: Variables;
  /** What a COPY copies from. */
  readonly findSource: (instruction: CopyInstruction) => Promise<FileTree>;
}

/** Carries out a stage's instructions on what it starts from. @throws CodedError `E_DOCKERFILE_MALFORMED` and those of planCopy */
export async function buildStage(props: BuildStageProps): Promise<BuiltStage> {
  const { stage, start, escapeCharacter, buildArguments, globals } = props;
  const { base, tree } = start;
  const layers = [...start.layers];
  const history = [...start.history];
  const args = new Map<string, string>();
  const env = new Map(start.config.Env?.map(splitAssignment));
  let config: RuntimeConfig = start.config;
  let hasOwnCmd = false;
  /** The directories that WORKDIR makes go into the next layer, or into one of their own at the end. */
  let pending: readonly Change[] = [];

  const variables: Variables = (name) => env.get(name) ?? args.get(name);
  const expand = (word: string) => expandWord(word, variables, escapeCharacter);

  function addLayer(changes: readonly Change[], createdBy: string): void {
    const all = new Map([...pending, ...changes].map((change) => [change.path, change]));
    pending = [];
    if (all.size > 0) layers.push({ changes: sortChanges([...all.values()]), createdBy });
    history.push({ created_by: createdBy, ...(all.size === 0 && { empty_layer: true }) });
  }

  async function copy(instruction: CopyInstruction): Promise<void> {
    const { chown, chmod } = instruction;
    const changes = planCopy({
      sources: instruction.sources.map(expand),
      destination: expand(instruction.destination),
      workingDirectory: config.WorkingDir ?? "/",
      from: await props.findSource(instruction),
      onto: tree,
      ...(chown !== undefined && { owner: parseOwner(expand(chown), instruction) }),
      ...(chmod !== undefined && { mode: parseMode(expand(chmod), instruction) }),
    });
    tree.apply(changes);
    addLayer(changes, instruction.text);
  }

  for (const instruction of stage.instructions) {
    if (instruction.kind === "copy") {
      await copy(instruction);
      continue;
    }
    switch (instruction.kind) {
      case "arg":
        for (const { name, defaultValue } of instruction.entries) {
          const value =
            buildArguments.given(name) ??
            (defaultValue === undefined
              ? (globals(name) ?? buildArguments.automatic(name))
              : expand(defaultValue));
          if (value !== undefined) args.set(name, value);
        }
        break;
      case "env":
        for (const [name, value] of expandAssignments(instruction, expand)) env.set(name, value);
        config = { ...config, Env: [...env].map(([name, value]) => `${name}=${value}`) };
        break;
      case "label":
        config = {
          ...config,
          Labels: { ...config.Labels, ...Object.fromEntries(expandAssignments(instruction, expand)) },
        };
        break;
      case "workdir": {
        const path = `/${normalizePath(resolveFrom(config.WorkingDir, expand(instruction.value)))}`;
        config = { ...config, WorkingDir: path };
        const changes = planDirectory(tree, normalizePath(path));
        tree.apply(changes);
        pending = [...pending, ...changes];
        break;
      }
      case "user":
        config = { ...config, User: expand(instruction.value) };
        break;
      case "expose": {
        const ports = expand(instruction.ports)
          .split(/\s+/)
          .flatMap((port) => parsePorts(port, instruction));
        const added = Object.fromEntries(ports.map((port) => [port, {}]));
        config = { ...config, ExposedPorts: { ...config.ExposedPorts, ...added } };
        break;
      }
      case "cmd":
        config = { ...config, Cmd: instruction.argv };
        hasOwnCmd = true;
        break;
      case "entrypoint": {
        // A new entrypoint makes the base's arguments meaningless.
        const { Cmd, ...others } = config;
        config = { ...others, Entrypoint: instruction.argv, ...(hasOwnCmd && { Cmd }) };
        break;
      }
    }
    history.push({ created_by: instruction.text, empty_layer: true });
  }
  if (pending.length > 0) addLayer([], "WORKDIR");
  return { base, config, layers, history, tree };
}

/** The globals: `ARG` before the first FROM, which may be given from outside. */
export function evaluateGlobals(
  instructions: readonly Instruction[],
  escapeCharacter: string,
  buildArguments: BuildArguments,
): Variables {
  const values = new Map<string, string>();
  const variables: Variables = (name) => values.get(name) ?? buildArguments.automatic(name);
  for (const instruction of instructions) {
    if (instruction.kind !== "arg") break;
    for (const { name, defaultValue } of instruction.entries) {
      const value =
        buildArguments.given(name) ?? (defaultValue && expandWord(defaultValue, variables, escapeCharacter));
      if (value !== undefined) values.set(name, value);
    }
  }
  return variables;
}

function expandAssignments(
  { entries }: { readonly entries: readonly { readonly name: string; readonly value: string }[] },
  expand: (word: string) => string,
): [string, string][] {
  return entries.map(({ name, value }) => [expand(name), expand(value)]);
}

function splitAssignment(entry: string): [string, string] {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function resolveFrom(directory = "/", path: string): string {
  return path.startsWith("/") ? path : `${directory}/${path}`;
}

function parseOwner(value: string, position: Position): { uid: number; gid: number } {
  const [, uid, gid = uid] = /^(\d+)(?::(\d+))?$/.exec(value) ?? [];
  if (uid === undefined)
    throw malformed("--chown takes numbers, UID or UID:GID: names need an engine", position);
  return { uid: Number(uid), gid: Number(gid) };
}

function parseMode(value: string, position: Position): number {
  if (!/^[0-7]{3,4}$/.test(value)) throw malformed("--chmod takes an octal mode such as 755", position);
  return Number.parseInt(value, 8);
}

/** `80`, `53/udp`, `8000-8002` */
function parsePorts(port: string, position: Position): string[] {
  const [, first, last = first, protocol = "tcp"] =
    /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(port) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || from > to || to > 65_535) throw malformed(`${port} is no port`, position);
  return Array.from({ length: to - from + 1 }, (_, offset) => `${from + offset}/${protocol.toLowerCase()}`);
}
