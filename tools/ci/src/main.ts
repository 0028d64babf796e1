import { appendFile, readFile } from "node:fs/promises";
import { CodedError, exitCodes, parseStage } from "@workspace/shared-config";
import { Command } from "commander";
import { chooseBase } from "./decision/base.ts";
import { decide } from "./decision/decide.ts";
import { openHistory, resolveCommit, resolveMergeBase } from "./decision/git-history.ts";
import { openProjects } from "./decision/projects.ts";
import { buildGitHub } from "./github/client.ts";
import { putComment } from "./github/comment.ts";
import { findLastSuccess } from "./github/runs.ts";
import { runWithCache } from "./nx-cache/with-cache.ts";
import { formatFinding } from "./workflows/finding.ts";
import { lintWorkflows } from "./workflows/lint.ts";

const program = new Command("workspace-ci").description("What the workflows call.");

program
  .command("decide")
  .description("what this push or pull request calls for, as JSON, and as outputs where GitHub runs it")
  .option("--workflow <file>", "the workflow whose last success is the base", "main.yml")
  .option("--head <commit>", "the commit to carry out", "HEAD")
  .option("--everything", "whatever changed", false)
  .action(async (options: { workflow: string; head: string; everything: boolean }) => {
    const directory = process.cwd();
    const head = await resolveCommit(directory, options.head);
    const { base, why } = await chooseBaseOfEvent(directory, head, options);
    const projects = openProjects(directory);
    const affected = await projects.findAffected(base, head);
    const functions = await projects.findWithTarget("release");
    const decision = decide({ base, head, why, affected, functions });
    console.error(`${why} ${decision.order.join(", ") || "Neither infra nor an app has something to do."}`);
    console.log(JSON.stringify(decision));
    await handOver("GITHUB_OUTPUT", {
      deploy: decision.deploy.join(","),
      release: decision.release.join(","),
    });
    await handOver("GITHUB_ENV", { NX_BASE: base, NX_HEAD: head });
  });

program
  .command("stage")
  .description("the stage that STAGE names, for the steps that need to know its region")
  .action(async () => {
    const { name, region } = parseStage(requireVariable("STAGE"));
    console.log(JSON.stringify({ name, region }));
    await handOver("GITHUB_OUTPUT", { name, region });
  });

program
  .command("last-success")
  .description("the commit of the last successful run")
  .option("--workflow <file>", "the workflow", "main.yml")
  .option("--still <commit>", "fail where it is another one by now")
  .action(async (options: { workflow: string; still?: string }) => {
    const commit = await findLastSuccess(openGitHub(), {
      workflow: options.workflow,
      branch: requireVariable("GITHUB_REF_NAME"),
    });
    if (commit === undefined) {
      throw new CodedError({
        code: "E_NOTHING_SUCCEEDED",
        what: "no run of the workflow has succeeded yet",
        value: options.workflow,
        remedy: "Bring the stage before this one to a success first.",
      });
    }
    if (options.still !== undefined && commit !== options.still) {
      throw new CodedError({
        code: "E_OVERTAKEN",
        what: `a newer commit has been carried out since ${options.still} was chosen`,
        value: commit,
        remedy: "Start the workflow again, and approve the commit that it names then.",
      });
    }
    console.log(commit);
    await handOver("GITHUB_OUTPUT", { commit });
  });

program
  .command("comment")
  .description("writes a file's text under a pull request, over the comment of an earlier run")
  .requiredOption("--pull-request <number>", "its number", Number)
  .requiredOption("--name <name>", "tells this comment from others")
  .requiredOption("--title <title>", "its headline")
  .argument("<file>", "the text")
  .action(async (file: string, options: { pullRequest: number; name: string; title: string }) => {
    await putComment(openGitHub(), { ...options, output: await readFile(file, "utf8") });
  });

program
  .command("lint-workflows")
  .description("actionlint, and that every action is pinned to a commit")
  .argument("<directory>", "the folder with `workflows` and `actions`: .github")
  .action(async (directory: string) => {
    const findings = await lintWorkflows(directory);
    for (const finding of findings) console.error(formatFinding(finding));
    if (findings.length > 0) process.exitCode = exitCodes.failed;
  });

program
  .command("nx-cache")
  .description("runs a command with Nx's cache in a folder that another machine can take over")
  .option("--directory <directory>", "where the entries are", ".nx/ci-cache")
  .argument("<command...>", "the command, after --")
  .action(async (command: string[], options: { directory: string }) => {
    process.exitCode = await runWithCache(options.directory, command);
  });

/** A pull request counts from where it left its target; a push, from what was last carried out whole. */
async function chooseBaseOfEvent(
  directory: string,
  head: string,
  options: { workflow: string; everything: boolean },
) {
  const history = await openHistory(directory);
  const target = process.env.GITHUB_BASE_REF;
  if (target) {
    const base = await resolveMergeBase(directory, `origin/${target}`, head);
    return { base, why: `What differs from ${target} at ${base.slice(0, 12)} counts.` };
  }
  const branch = requireVariable("GITHUB_REF_NAME");
  const lastSuccess = await findLastSuccess(openGitHub(), { workflow: options.workflow, branch });
  // A person who starts the workflow by hand wants all of it: a new role, a stage that was destroyed.
  const everything = options.everything || process.env.GITHUB_EVENT_NAME === "workflow_dispatch";
  return chooseBase({ head, lastSuccess, everything }, history);
}

function openGitHub() {
  return buildGitHub({
    apiUrl: requireVariable("GITHUB_API_URL"),
    repository: requireVariable("GITHUB_REPOSITORY"),
    token: requireVariable("GITHUB_TOKEN"),
  });
}

/**
 * Appends `name=value` lines to a file that GitHub reads after the step, where the environment names one.
 * @throws CodedError `E_HAND_OVER_FAILED`
 */
async function handOver(
  variable: "GITHUB_OUTPUT" | "GITHUB_ENV",
  values: Record<string, string>,
): Promise<void> {
  const file = process.env[variable];
  if (!file) return;
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  try {
    await appendFile(file, lines.join(""));
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new CodedError({
      code: "E_HAND_OVER_FAILED",
      what: `the file that ${variable} names can't be written`,
      value: file,
      remedy: "GitHub names one that can; elsewhere correct the variable, or unset it.",
      cause,
    });
  }
}

function requireVariable(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new CodedError({
    code: "E_VARIABLE_MISSING",
    what: `the environment variable ${name} is not set`,
    remedy: "GitHub sets all but GITHUB_TOKEN; the step hands that one on.",
  });
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
