import { malformed } from "./dockerfile-error.ts";
import type { CopyInstruction, FromInstruction, Instruction } from "./instruction.ts";
import { expandWord, type Variables } from "./words.ts";

/** A FROM and what follows it. */
export interface BuildStage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly base: StageBase;
  readonly instructions: readonly Exclude<Instruction, FromInstruction>[];
}

export type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  | { readonly kind: "image"; readonly reference: string };

/** Global arguments stand before the first FROM, and can be used in every FROM. */
export function splitStages(
  instructions: readonly Instruction[],
  escapeCharacter: string,
  globals: Variables,
): readonly BuildStage[] {
  const stages: (BuildStage & { instructions: Exclude<Instruction, FromInstruction>[] })[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === "from") {
      const image = expandWord(instruction.image, globals, escapeCharacter);
      if (image === "")
        throw malformed("the base image's name is empty: a variable in it is not set", instruction);
      stages.push({
        index: stages.length,
        from: instruction,
        base: findBase(image, stages),
        instructions: [],
      });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

function findBase(image: string, earlier: readonly BuildStage[]): StageBase {
  if (image === "scratch") return { kind: "scratch" };
  const stage = earlier.findLast((candidate) => candidate.from.stageName === image.toLowerCase());
  return stage === undefined ? { kind: "image", reference: image } : { kind: "stage", index: stage.index };
}

/** Where `COPY --from` copies from: an earlier stage's name or number, else an image. */
export function findCopySource(
  { from = "", ...position }: CopyInstruction,
  stage: BuildStage,
  stages: readonly BuildStage[],
): StageBase {
  const earlier = stages.slice(0, stage.index);
  const index = /^\d+$/.test(from) ? Number(from) : undefined;
  if (index !== undefined && earlier[index] === undefined) {
    throw malformed("COPY --from names a stage that is not before it", position);
  }
  return index === undefined ? findBase(from, earlier) : { kind: "stage", index };
}

/** By name, number, or the last one. */
export function findTargetStage(stages: readonly BuildStage[], target?: string): BuildStage | undefined {
  if (target === undefined) return stages.at(-1);
  const named = stages.findLast((stage) => stage.from.stageName === target.toLowerCase());
  return named ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
}
