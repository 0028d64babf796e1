import { createHash, type Hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** SHA-256 over the files' names and content, in this order. @param names relative to the directory */
export async function hashFiles(directory: string, names: readonly string[]): Promise<Hash> {
  const hash = createHash("sha256");
  for (const name of names) {
    const content = createHash("sha256").update(await readFile(join(directory, name)));
    hash.update(`${name} ${content.digest("hex")}\n`);
  }
  return hash;
}
