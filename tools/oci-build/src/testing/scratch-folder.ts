import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** What a test puts into a folder: text, or what the kind says. */
export type ScratchFile =
  | string
  | Buffer
  | { readonly link: string }
  | { readonly mode: number; readonly text: string };

/** A folder for one test, with these files; it is gone afterwards. */
export function makeScratchFolder(files: Readonly<Record<string, ScratchFile>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "oci-build-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFiles(folder, files);
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, ScratchFile>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) writeFileSync(path, content);
    else if ("link" in content) symlinkSync(content.link, path);
    else {
      writeFileSync(path, content.text);
      chmodSync(path, content.mode);
    }
  }
}
