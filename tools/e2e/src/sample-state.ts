import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CodedError, functions, stages } from "@workspace/shared-config";

const sample = "lambda-app";
const settings = "apps/infra/src/function-settings.ts";

interface Replacement {
  readonly path: string;
  readonly from: RegExp;
  readonly to: string;
}

/** The rows of the function table, the default memory, and what differs from the defaults. */
const sampleState: readonly Replacement[] = [
  {
    path: "libs/shared-config/src/functions.ts",
    from: /(?<=^export const functions: [^=]* = \{\n).*?(?=^\};$)/ms,
    to: `  "${sample}": { architecture: "x86_64" },\n`,
  },
  { path: settings, from: /(?<=^const defaults: [^=]* = \{\n.*?^ {2}memoryMiB: )[^,]+/ms, to: "512" },
  { path: settings, from: /(?<=^const overrides: [^=]* = )\{.*?\}(?=;$)/ms, to: "{}" },
];

/**
 * Brings a copy of the workspace to where every clone starts: the sample is its only function, and its memory is known.
 * What a team's functions have, and the local AWS may refuse, has no part in what happens there.
 * @throws CodedError `E_SAMPLE_STATE` where a file isn't in the form that this knows
 */
export function restoreSampleState(directory: string): void {
  for (const replacement of sampleState) replaceIn(directory, replacement);
  const others = Object.keys(functions).filter((project) => project !== sample);
  for (const project of others) rmSync(join(directory, "apps", project), { recursive: true, force: true });
  removeReferences(
    join(directory, "tsconfig.json"),
    others.map((project) => `./apps/${project}`),
  );
}

/**
 * Puts the stages of a copy into one region, the local stage's, so that one local AWS can stand for them all.
 * @throws CodedError `E_SAMPLE_STATE`
 */
export function gatherStages(directory: string): void {
  replaceIn(directory, {
    path: "libs/shared-config/src/stages.ts",
    from: /^ {4}region(: [^\n]+)?,$/gm,
    to: `    region: "${stages.local.region}",`,
  });
}

function replaceIn(directory: string, { path, from, to }: Replacement): void {
  const file = join(directory, path);
  const before = readFileSync(file, "utf8");
  if (before.search(from) === -1) {
    throw new CodedError({
      code: "E_SAMPLE_STATE",
      what: `${path} has another form than the one by which a copy of it is brought to a known state`,
      value: from.source,
      remedy: "Give it that form again, or bring tools/e2e/src/sample-state.ts up to date.",
    });
  }
  writeFileSync(file, before.replace(from, to));
}

function removeReferences(file: string, paths: readonly string[]): void {
  const { references, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  const kept = references.filter(({ path }: { path: string }) => !paths.includes(path));
  writeFileSync(file, `${JSON.stringify({ ...rest, references: kept }, undefined, 2)}\n`);
}
