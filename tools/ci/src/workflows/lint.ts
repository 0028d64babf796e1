import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { runActionlint } from "./actionlint.ts";
import type { Finding } from "./finding.ts";
import { findUnpinned } from "./pins.ts";

/**
 * Checks `workflows/*.yml` and `actions/<name>/action.yml` of a folder such as `.github`.
 * @throws CodedError `E_NO_WORKFLOWS` where there is none: a check of nothing would always pass
 */
export async function lintWorkflows(directory: string): Promise<Finding[]> {
  const files = await listBelow(directory);
  const workflows = files.filter((file) => /^workflows\/[^/]+\.ya?ml$/.test(file)).toSorted();
  const actions = files.filter((file) => /^actions\/.*\/action\.ya?ml$/.test(file)).toSorted();
  if (workflows.length === 0) {
    throw new CodedError({
      code: "E_NO_WORKFLOWS",
      what: "the folder has no workflows",
      value: directory,
      remedy: "Name the folder that `workflows` is in: `.github`.",
    });
  }
  const findings = await Promise.all(
    [...workflows, ...actions].map(async (name) => {
      const file = join(directory, name);
      const source = await readFile(file, "utf8");
      const linted = workflows.includes(name) ? await runActionlint(file, source) : [];
      return [...linted, ...findUnpinned(file, source)];
    }),
  );
  return findings.flat();
}

/** Empty where there is no such folder. */
async function listBelow(directory: string): Promise<string[]> {
  try {
    return await readdir(directory, { recursive: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR"].includes(String(error.code)))
      return [];
    throw error;
  }
}
