import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

export type Blobs = ReturnType<typeof openBlobs>;

/** The only digests that ECR takes. */
export function isDigest(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** Layers, configurations and manifests as files: a folder for each repository, a file for each digest. */
export function openBlobs(directory: string) {
  const uploads = join(directory, "uploads");
  // An upload session ends with the server: its client starts the upload again.
  rmSync(uploads, { recursive: true, force: true });
  mkdirSync(uploads, { recursive: true });

  const folderOf = (repositoryName: string) =>
    join(directory, "repositories", encodeURIComponent(repositoryName));
  const pathOf = (repositoryName: string, digest: string) =>
    join(folderOf(repositoryName), digest.replace(":", "-"));
  const has = (repositoryName: string, digest: string) =>
    isDigest(digest) && existsSync(pathOf(repositoryName, digest));

  return {
    has,
    pathOf,
    sizeOf: (repositoryName: string, digest: string) => statSync(pathOf(repositoryName, digest)).size,
    /** Where the bytes of an upload go until their digest is known. */
    uploadPath: (id: string) => join(uploads, id),
    /** Takes a finished upload in. */
    add(repositoryName: string, digest: string, uploadPath: string): void {
      mkdirSync(folderOf(repositoryName), { recursive: true });
      renameSync(uploadPath, pathOf(repositoryName, digest));
    },
    /** Takes a blob of another repository in without a copy. Says whether there was one. */
    mount(repositoryName: string, digest: string, from: string): boolean {
      if (has(repositoryName, digest)) return true;
      if (!has(from, digest)) return false;
      mkdirSync(folderOf(repositoryName), { recursive: true });
      linkSync(pathOf(from, digest), pathOf(repositoryName, digest));
      return true;
    },
    delete: (repositoryName: string, digest: string) =>
      rmSync(pathOf(repositoryName, digest), { force: true }),
    deleteRepository: (repositoryName: string) =>
      rmSync(folderOf(repositoryName), { recursive: true, force: true }),
    list(repositoryName: string): string[] {
      if (!existsSync(folderOf(repositoryName))) return [];
      return readdirSync(folderOf(repositoryName)).map((name) => name.replace("-", ":"));
    },
  };
}
