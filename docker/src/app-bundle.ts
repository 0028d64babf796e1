import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { runBun } from "./bun.ts";

/** The name that an app finds its build's identity under: 12 hex digits that change with the bundle, and only with it. */
const identity = "process.env.BUILD_ID";

/** Makes `app.js` and its bytecode, `app.js.jsc`. @throws CodedError `E_BUNDLE_FAILED` */
export async function buildApp(entry: string, outDir: string): Promise<void> {
  const draft = mkdtempSync(join(tmpdir(), "app-bundle-"));
  try {
    await bundle(entry, draft, "");
    const buildId = createHash("sha256")
      .update(readFileSync(join(draft, "app.js")))
      .digest("hex")
      .slice(0, 12);
    await bundle(entry, outDir, buildId);
  } finally {
    rmSync(draft, { recursive: true });
  }
}

async function bundle(entry: string, outDir: string, buildId: string): Promise<void> {
  const flags = ["--target=bun", "--format=cjs", "--minify", "--bytecode", "--entry-naming=app.js"];
  const define = `--define=${identity}=${JSON.stringify(buildId)}`;
  try {
    await runBun(["build", basename(entry), ...flags, define, `--outdir=${outDir}`], dirname(entry));
  } catch (cause) {
    const remedy = "Mend what the bundler says.";
    throw new CodedError({
      code: "E_BUNDLE_FAILED",
      what: "the app could not be bundled",
      value: entry,
      remedy,
      cause,
    });
  }
}
