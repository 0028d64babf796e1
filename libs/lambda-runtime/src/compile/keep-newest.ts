import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Takes out all of a folder but the entries that were made last: what else was built is of sources long changed. */
export async function keepNewest(directory: string, count: number): Promise<void> {
  const entries = await Promise.all(
    (await readdir(directory)).map(async (name) => ({
      name,
      madeMs: await readMadeMs(join(directory, name)),
    })),
  );
  const old = entries.sort((a, b) => b.madeMs - a.madeMs).slice(count);
  for (const { name } of old) await rm(join(directory, name), { recursive: true, force: true });
}

/** Epoch milliseconds; 0 where another build has taken it out meanwhile. */
async function readMadeMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}
