import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { keepNewest } from "./keep-newest.ts";

it("keepNewest takes out what was made first, and no more", async () => {
  const directory = await mkdtemp(join(tmpdir(), "keep-newest-test-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const [name, seconds] of Object.entries({ b: 20, d: 40, a: 10, c: 30 })) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, "file"), "");
    await utimes(join(directory, name), seconds, seconds);
  }
  await keepNewest(directory, 4);
  expect(await readdir(directory)).toHaveLength(4);
  await Promise.all([keepNewest(directory, 2), keepNewest(directory, 2)]);
  expect((await readdir(directory)).sort()).toEqual(["c", "d"]);
});
