/** Something that is wrong in a file. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export function formatFinding({ file, line, message }: Finding): string {
  return `${file}:${line} ${message}`;
}
