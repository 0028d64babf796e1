import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Protocol } from "./model-command.ts";

/** A safeguard of the hand-off, and how its source reads without it. */
export interface Mutant {
  readonly name: string;
  /** Below `libs/handoff/src`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly safeguard: string;
  readonly without: string;
  /** With which it is found out soon. @default 1 */
  readonly seed?: number;
}

export const mutants: readonly Mutant[] = [
  {
    name: "no-lease",
    file: "lease/lease.ts",
    safeguard: "if (holder === undefined || remainingMs <= 0 || clients.isProvenDead(holder)) {",
    without: "if (remainingMs < Number.POSITIVE_INFINITY) {",
  },
  {
    name: "no-re-check",
    file: "lease/lease.ts",
    safeguard: "      await lease.check();\n",
    without: "",
    seed: 2,
  },
  {
    name: "no-own-clock",
    file: "lease/lease.ts",
    safeguard: "    if (remainingMs() <= 0) lose(undefined);\n    lost",
    without: "    lost",
    seed: 11,
  },
  {
    name: "void-entries-count",
    file: "lease/lease-log.ts",
    safeguard: "return entry.basedOn === version - 1 ? entry : undefined;",
    without: "return entry;",
  },
  {
    name: "publish-first",
    file: "commands/release.ts",
    safeguard: "const live = await makeLive(",
    without: `await publishLive(clients, fn, lease, { tag, publisher: "release", live: { kind: "unchanged" } as LiveResult, onProgress });
    const live = await makeLive(`,
  },
  {
    name: "missing-tag-is-first-deploy",
    file: "published/resolve.ts",
    safeguard: "(await findPublished(clients, fn)) ?? proveInitial(clients, fn)",
    without: '(await findPublished(clients, fn)) ?? { kind: "initial" }',
  },
  {
    name: "no-fence-on-publish",
    file: "live/make-live.ts",
    safeguard: "    CodeSha256: toCodeSha256(latest.digest),\n    RevisionId: latest.revisionId,\n",
    without: "",
  },
  {
    name: "no-smoke-check",
    file: "live/make-live.ts",
    safeguard: "await smokeCheck(clients, fn, version, smokeEvent);",
    without: "",
  },
  {
    name: "no-put-back",
    file: "live/make-live.ts",
    safeguard: "throw await putBack(clients, fn, lease, alias, live, error, onProgress);",
    without: "throw error;",
  },
  {
    name: "no-restore-after-failed-stack",
    file: "commands/deploy.ts",
    safeguard: "await restoreLatest(clients, fn, lease, code, onProgress);",
    without: "false;",
  },
  {
    name: "no-wait-for-stack",
    file: "stack/stack.ts",
    safeguard: 'return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";',
    without: "return false;",
  },
  {
    name: "no-canary-clean-up",
    file: "live/make-live.ts",
    safeguard: "await giveAllTraffic(clients, fn, lease, await requireLiveAlias(clients, fn));",
    without: "await requireLiveAlias(clients, fn);",
  },
  {
    name: "tag-read-once",
    file: "published/resolve.ts",
    safeguard: "if (running === undefined || running === published.digest) return published;",
    without: "return published;",
  },
  {
    name: "template-image-may-go",
    file: "prune/keep-set.ts",
    safeguard: 'reasons.push("template");',
    without: "void templateImages;",
  },
];

const source = join(import.meta.dirname, "../../../../libs/handoff/src");
/** Inside the workspace, so that the copy finds the packages that the original finds. */
const copies = join(import.meta.dirname, "../../dist/mutants");

/** The hand-off, from a copy of its source that lacks one safeguard. Runs on Bun, which takes the source as it is. */
export async function loadMutant(name: string): Promise<Protocol> {
  const mutant = mutants.find((candidate) => candidate.name === name);
  if (mutant === undefined)
    throw new Error(`${name} is none of ${mutants.map((each) => each.name).join(", ")}`);
  const copy = join(copies, name);
  rmSync(copy, { recursive: true, force: true });
  cpSync(source, copy, { recursive: true });
  const path = join(copy, mutant.file);
  const text = readFileSync(path, "utf8");
  if (text.split(mutant.safeguard).length !== 2) {
    throw new Error(`the safeguard ${name} is not to be found in ${mutant.file}: ${mutant.safeguard}`);
  }
  writeFileSync(
    path,
    text.replace(mutant.safeguard, () => mutant.without),
  );
  return import(join(copy, "index.ts"));
}
