import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./replace-file.ts";
import { corruptState } from "./state-errors.ts";
import type { Store } from "./store.ts";

/**
 * A store in a folder: a file for each document, replaced as a whole; everything is read once, at the start.
 * @throws CodedError `E_STATE_CORRUPT`
 */
export function openFileStore(directory: string): Store {
  const documents = join(directory, "documents");
  mkdirSync(documents, { recursive: true });
  const values = new Map<string, unknown>();
  for (const name of readdirSync(documents)) {
    if (name.endsWith(".part")) {
      rmSync(join(documents, name));
      continue;
    }
    const { key, value } = readDocument(join(documents, name));
    values.set(key, value);
  }
  const pathOf = (key: string) =>
    join(documents, `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`);
  return {
    directory,
    get: <T>(key: string) => structuredClone(values.get(key)) as T | undefined,
    put(key, value) {
      const text = JSON.stringify({ key, value }, undefined, 1);
      replaceFile(pathOf(key), text);
      values.set(key, (JSON.parse(text) as { value: unknown }).value);
    },
    delete(key) {
      rmSync(pathOf(key), { force: true });
      values.delete(key);
    },
    keys: (prefix = "") => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

function readDocument(file: string): { readonly key: string; readonly value: unknown } {
  const text = readFileSync(file, "utf8");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw corruptState(file, text.slice(0, 100), cause);
  }
  const { key, value } = (document ?? {}) as { key?: unknown; value?: unknown };
  if (typeof key !== "string") throw corruptState(file, text.slice(0, 100));
  return { key, value };
}
