import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "./store.ts";

/** A store in a folder: a file for each document, replaced as a whole; everything is read once, at the start. */
export function openFileStore(directory: string): Store {
  const documents = join(directory, "documents");
  mkdirSync(documents, { recursive: true });
  const values = new Map<string, unknown>();
  for (const name of readdirSync(documents)) {
    if (name.endsWith(".part")) {
      rmSync(join(documents, name));
      continue;
    }
    const { key, value } = JSON.parse(readFileSync(join(documents, name), "utf8")) as {
      key: string;
      value: unknown;
    };
    values.set(key, value);
  }
  const pathOf = (key: string) =>
    join(documents, `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`);
  return {
    directory,
    get: <T>(key: string) => structuredClone(values.get(key)) as T | undefined,
    put(key, value) {
      const path = pathOf(key);
      const text = JSON.stringify({ key, value }, undefined, 1);
      writeFileSync(`${path}.part`, text);
      renameSync(`${path}.part`, path);
      values.set(key, (JSON.parse(text) as { value: unknown }).value);
    },
    delete(key) {
      rmSync(pathOf(key), { force: true });
      values.delete(key);
    },
    keys: (prefix = "") => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}
