import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveInRoot } from "./root-path.ts";

const root = mkdtempSync(join(tmpdir(), "root-path-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
mkdirSync(join(root, "usr/lib"), { recursive: true });
symlinkSync("usr/lib", join(root, "lib"));
symlinkSync("/usr", join(root, "absolute"));
symlinkSync("../../../..", join(root, "usr/up"));
symlinkSync("loop", join(root, "loop"));

describe("resolveInRoot", () => {
  it.each([
    ["/usr/lib/x", "usr/lib/x"],
    ["lib/x", "usr/lib/x"],
    ["/absolute/lib/./x", "usr/lib/x"],
    ["/usr/up/etc/passwd", "etc/passwd"],
    ["../../etc/passwd", "etc/passwd"],
    ["/", ""],
    ["/not/../there", "there"],
  ])("takes %s for %s of the root", (path, expected) => {
    expect(resolveInRoot(root, path)).toBe(join(root, expected));
  });

  it("ends where links don't", () => {
    expect(() => resolveInRoot(root, "/loop/x")).toThrow("too many symbolic links in /loop/x");
  });
});
