import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** As the kernel has it. */
const maxLinks = 40;

/**
 * Where a path of an image is on this host: symbolic links are followed as if `root` were `/`, so nothing in an image
 * leads out of its folder. What does not exist is taken as it is written.
 */
export function resolveInRoot(root: string, path: string): string {
  const rest = path.split("/");
  let here: string[] = [];
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      here.pop();
      continue;
    }
    const found = join(root, ...here, name);
    if (!lstatSync(found, { throwIfNoEntry: false })?.isSymbolicLink()) {
      here.push(name);
      continue;
    }
    links += 1;
    if (links > maxLinks) throw new Error(`too many symbolic links in ${path}`);
    const target = readlinkSync(found);
    if (target.startsWith("/")) here = [];
    rest.unshift(...target.split("/"));
  }
  return join(root, ...here);
}
