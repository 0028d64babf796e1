import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "../replace-file.ts";
import { corruptState } from "../state-errors.ts";

/** A list that only grows at its end and is cut at its beginning, in memory and in a file of JSON lines. */
export interface Journal<T> {
  /** Oldest first. */
  readonly entries: readonly T[];
  /** Written to disk before it returns. */
  append(added: readonly T[]): void;
  delete(): void;
}

/**
 * @param keptEntries how many are kept; the file is cut when it has twice as many
 * @throws CodedError `E_STATE_CORRUPT`
 */
export function openJournal<T>(path: string, keptEntries: number): Journal<T> {
  let entries = readEntries<T>(path).slice(-keptEntries);
  let linesInFile = entries.length;

  function rewrite(): void {
    replaceFile(path, entries.map(buildLine).join(""));
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
      try {
        appendFileSync(path, added.map(buildLine).join(""));
      } catch (error) {
        // A full disk may have taken half a line: with the next one that fits, the file is replaced.
        linesInFile = Number.POSITIVE_INFINITY;
        throw error;
      }
      entries.push(...added);
      if (entries.length > 2 * keptEntries) entries = entries.slice(-keptEntries);
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
  return lines.map((line) => {
    try {
      return JSON.parse(line) as T;
    } catch (cause) {
      throw corruptState(path, line.slice(0, 100), cause);
    }
  });
}
