/**
 * A Dockerfile's instruction, with its words as they stand there: variables are expanded when a stage is built.
 */
export type Instruction =
  | FromInstruction
  | CopyInstruction
  | (Position & { readonly kind: "arg"; readonly entries: readonly ArgEntry[] })
  | (Position & { readonly kind: "env" | "label"; readonly entries: readonly Assignment[] })
  | (Position & { readonly kind: "workdir" | "user"; readonly value: string })
  | (Position & { readonly kind: "expose"; readonly ports: string })
  | (Position & { readonly kind: "entrypoint" | "cmd"; readonly argv: readonly string[] });

export interface Position {
  /** Counted from 1. */
  readonly line: number;
  /** The instruction on one line, for messages and the image's history. */
  readonly text: string;
}

export interface FromInstruction extends Position {
  readonly kind: "from";
  readonly image: string;
  readonly stageName?: string;
  readonly platform?: string;
}

export interface CopyInstruction extends Position {
  readonly kind: "copy";
  readonly sources: readonly string[];
  readonly destination: string;
  /** An earlier stage's name or number, or an image. @default the build context */
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
}

export interface ArgEntry {
  readonly name: string;
  readonly defaultValue?: string;
}

export interface Assignment {
  readonly name: string;
  readonly value: string;
}
