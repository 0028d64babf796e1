import { type FileTree, followLinks } from "./file-tree.ts";

/** Whether a COPY source is a pattern of Go's `filepath.Match`, which Dockerfiles follow. */
export function isPattern(path: string): boolean {
  return /[*?[\\]/.test(path);
}

/** The paths of the tree that match, sorted. `*` and `?` stay within one folder. */
export function expandPattern(tree: FileTree, pattern: string): string[] {
  return pattern.split("/").reduce<string[]>(
    (folders, part) => {
      const matches = partToRegExp(part);
      return folders.flatMap((folder) => {
        const real = followLinks(tree, folder);
        const names = tree.find(real)?.type === "directory" ? tree.list(real) : [];
        return names
          .filter((name) => matches.test(name))
          .map((name) => (folder === "" ? name : `${folder}/${name}`));
      });
    },
    [""],
  );
}

/** @see https://pkg.go.dev/path/filepath#Match */
function partToRegExp(part: string): RegExp {
  let source = "";
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at] ?? "";
    const closing = character === "[" ? part.indexOf("]", at + 2) : -1;
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (character === "\\") {
      at += 1;
      source += escapeRegExp(part[at] ?? "");
    } else if (closing > 0) {
      source += part
        .slice(at, closing + 1)
        .replace(/\[(?=.)/g, (bracket, offset) => (offset === 0 ? bracket : "\\["));
      at = closing;
    } else source += escapeRegExp(character);
  }
  return new RegExp(`^${source}$`, "su");
}

function escapeRegExp(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/gu, "\\$&");
}
