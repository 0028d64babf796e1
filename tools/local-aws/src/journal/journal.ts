import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A list that only grows at its end and is cut at its beginning, in memory and in a file of JSON lines. */
export interface Journal<T> {
  /** Oldest first. */
  readonly entries: readonly T[];
  /** Written to disk before it returns. */
  append(added: readonly T[]): void;
  delete(): void;
}

/** @param keptEntries how many are kept; the file is cut when it has twice as many */
export function openJournal<T>(path: string, keptEntries: number): Journal<T> {
  let entries = readEntries<T>(path).slice(-keptEntries);
  let linesInFile = entries.length;

  function rewrite(): void {
    writeFileSync(`${path}.part`, entries.map(buildLine).join(""));
    renameSync(`${path}.part`, path);
    linesInFile = entries.length;
  }

  mkdirSync(dirname(path), { recursive: true });
  // A killed process may have left half a line at the end.
  if (entries.length > 0) rewrite();
  return {
    get entries() {
      return entries;
    },
    append(added) {
      entries.push(...added);
      if (entries.length > 2 * keptEntries) entries = entries.slice(-keptEntries);
      appendFileSync(path, added.map(buildLine).join(""));
      linesInFile += added.length;
      if (linesInFile > 2 * keptEntries) rewrite();
    },
    delete() {
      entries = [];
      linesInFile = 0;
      rmSync(path, { force: true });
    },
  };
}

function buildLine(entry: unknown): string {
  return `${JSON.stringify(entry)}\n`;
}

function readEntries<T>(path: string): T[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  // What comes after the last line's end was cut off.
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}
