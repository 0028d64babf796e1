import { renameSync, writeFileSync } from "node:fs";

/** Writes a file whole or not at all: whoever reads it meanwhile, or after a kill, finds the one before. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}
