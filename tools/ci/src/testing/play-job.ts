import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

type Outputs = Record<string, Record<string, string>>;

/** A step that did not end with exit code 0 ends the job. */
class StepFailed extends Error {
  constructor(run: string, output: string) {
    super(`step failed: ${run}\n${output}`);
  }
}

/**
 * Runs the `run` steps of one job as GitHub's runner does: in order, each in bash, with outputs and conditions.
 * Steps that use an action are left out: checkout, packages and credentials are the caller's. An expression of
 * a kind that the workflows don't have is an error.
 *
 * @param props.environment what each step finds in its environment, over what the workflow says
 * @param props.stopBefore the job is cut off before the first step whose command has this in it, as by a runner that dies
 * @returns the commands that ran
 * @throws StepFailed
 */
export async function playJob(props: {
  workflow: string;
  job: string;
  directory: string;
  environment: Readonly<Record<string, string>>;
  stopBefore?: string;
}): Promise<string[]> {
  const workflow: Workflow = parse(readFileSync(props.workflow, "utf8"));
  const job = workflow.jobs[props.job];
  if (job === undefined) throw new Error(`${props.workflow} has no job ${props.job}`);
  const outputs: Outputs = {};
  const environment: Record<string, string> = { ...workflow.env, ...job.env, ...props.environment };
  const ran: string[] = [];
  const handOver = mkdtempSync(join(tmpdir(), "play-job-"));
  try {
    for (const [index, step] of job.steps.entries()) {
      if (step.run === undefined || !holds(step.if, outputs)) continue;
      if (props.stopBefore !== undefined && step.run.includes(props.stopBefore)) break;
      const files = {
        GITHUB_OUTPUT: join(handOver, `output-${index}`),
        GITHUB_ENV: join(handOver, `env-${index}`),
      };
      ran.push(step.run);
      const result = await execa("bash", ["-eo", "pipefail", "-c", step.run], {
        cwd: props.directory,
        env: { ...environment, ...resolve(step.env ?? {}, outputs), ...files },
        extendEnv: false,
        reject: false,
        all: true,
      });
      if (result.exitCode !== 0) throw new StepFailed(step.run, result.all);
      if (step.id !== undefined) outputs[step.id] = readPairs(files.GITHUB_OUTPUT);
      Object.assign(environment, readPairs(files.GITHUB_ENV));
    }
  } finally {
    rmSync(handOver, { recursive: true, force: true });
  }
  return ran;
}

/** The one condition that the workflows' steps have: an output that isn't empty. */
function holds(condition: string | undefined, outputs: Outputs): boolean {
  if (condition === undefined) return true;
  const [, id = "", name = ""] = /^steps\.([\w-]+)\.outputs\.([\w-]+) != ''$/.exec(condition) ?? [];
  if (id === "") throw new Error(`play-job does not know the condition ${condition}`);
  return (outputs[id]?.[name] ?? "") !== "";
}

function resolve(env: Readonly<Record<string, string>>, outputs: Outputs): Record<string, string> {
  const expression = /^\$\{\{ (?:steps\.([\w-]+)\.outputs\.([\w-]+)|github\.token) \}\}$/;
  return Object.fromEntries(
    Object.entries(env).map(([variable, value]) => {
      if (!value.includes("${{")) return [variable, value];
      const match = expression.exec(value);
      if (match === null) throw new Error(`play-job does not know the expression ${value}`);
      const [, id, name = ""] = match;
      return [variable, id === undefined ? "a token" : (outputs[id]?.[name] ?? "")];
    }),
  );
}

function readPairs(file: string): Record<string, string> {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
