import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stopServer } from "@workspace/local-aws";
import { parseFunction, parseHostArchitecture, parseStage } from "@workspace/shared-config";
import { execa } from "execa";
import { formatProfiles, parseRecord, readRoleGrants, roles, signAs } from "../record/role-grants.ts";
import { gatherStages } from "../sample-state.ts";
import { createScratchWorkspace } from "../scratch-workspace.ts";
import { type Environment, openStageSession, type StageSession } from "../stage-session.ts";
import { createObserver, type Observed } from "./observe.ts";
import { type CommitName, preparations, type Scenario } from "./scenarios.ts";

/** What a command ended with. */
export interface Ended {
  /** `null` where it was killed. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** A command that runs in a process group of its own, so that a kill reaches all of it. */
export interface RunningCommand {
  readonly ended: Promise<Ended>;
  /** SIGKILL to the whole group. */
  kill(): void;
}

/** A scratch workspace with its commits, and the states that scenarios start from, each kept as a folder. */
export interface FaultWorld {
  /** Puts the state back that the scenario starts from, and opens a session on it. */
  open(scenario: Scenario): Promise<OpenedState>;
  /** Ends what runs in it, too. */
  remove(): void;
}

export interface OpenedState {
  /** The endpoint itself, without a proxy before it. */
  readonly endpoint: string;
  /** Ends the session and its server: the next state has the same port. */
  close(): Promise<void>;
  /** Starts the scenario's command, under its role, against an endpoint. */
  start(endpoint: string): RunningCommand;
  observe(): Promise<Observed>;
  /** What the command's role was not granted and needed so far: `ssm:GetParameter on arn:…`. */
  findMissingGrants(): string[];
}

export function createFaultWorld(): FaultWorld {
  const scratch = createScratchWorkspace();
  gatherStages(scratch.directory);
  const states = join(scratch.directory, ".local-aws/states");
  mkdirSync(states, { recursive: true });
  const commits: Record<CommitName, string> = {
    first: scratch.commit("chore: first"),
    second: scratch.edit("apps/lambda-app/src/handler.ts", "Hello", "Hello again", "feat: second"),
    third: scratch.edit("apps/lambda-app/src/handler.ts", "Hello again", "Hello once more", "feat: third"),
    memory: "",
  };
  const record = join(states, "record.jsonl");
  const profiles = join(states, "profiles");
  const grants = roles.map(readRoleGrants);
  writeFileSync(profiles, formatProfiles(roles));
  const prepared = new Set<string>();
  const running = new Set<RunningCommand>();

  const openState = async (state: string, stage: string) => {
    const environment = {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      STAGE: "local",
      LOCAL_AWS_STATE: join(states, state),
      LOCAL_AWS_RECORD: record,
      // Logins are to end with the world, not in the configuration of whoever runs it.
      DOCKER_CONFIG: join(scratch.directory, ".local-aws/docker"),
    };
    rmSync(record, { force: true });
    const session = await openStageSession(scratch.directory, environment);
    // Every stage runs on this endpoint, and on this host's libc: no image can be assumed to be within reach.
    const chosen = { STAGE: stage, BASE_IMAGE: "scratch" };
    // The templates are held against CloudFormation's rules elsewhere: here it would take a second of each deploy.
    return { session, environment: { ...session.environment, ...chosen, CDK_VALIDATION: "false" } };
  };

  const start = (argv: readonly string[], environment: Environment) => {
    const command = startCommand(scratch.directory, argv, environment);
    running.add(command);
    void command.ended.then(() => running.delete(command));
    return command;
  };

  const checkOut = (at: CommitName) =>
    execa("git", ["checkout", "--quiet", "--force", commits[at]], { cwd: scratch.directory });

  async function prepare(name: string): Promise<void> {
    if (prepared.has(name)) return;
    const preparation = preparations.find((candidate) => candidate.name === name);
    if (preparation === undefined) throw new Error(`no state is called ${name}`);
    if (preparation.from !== undefined) {
      await prepare(preparation.from);
      await copyState(preparation.from, name);
    }
    await checkOut(preparation.at);
    const { session, environment } = await openState(name, "dev");
    for (const argv of preparation.commands) {
      const { exitCode, output } = await start(argv, environment).ended;
      if (exitCode !== 0)
        throw new Error(`preparing ${name}: ${argv.join(" ")} exited with ${exitCode}\n${output}`);
    }
    await closeState(session);
    prepared.add(name);
  }

  /** Documents and blobs are only ever replaced, never written into: links are as good as copies. The log is not. */
  async function copyState(from: string, to: string): Promise<void> {
    rmSync(join(states, to), { recursive: true, force: true });
    await execa("cp", ["-al", join(states, from), join(states, to)]);
    rmSync(join(states, to, "server.log"), { force: true });
  }

  commits.memory = scratch.edit(
    "apps/infra/src/function-settings.ts",
    "memoryMiB: 512",
    "memoryMiB: 768",
    "feat: memory",
  );

  return {
    async open(scenario) {
      await prepare(scenario.from);
      await copyState(scenario.from, "tried");
      await checkOut(scenario.at);
      const { session, environment } = await openState("tried", scenario.stage);
      const fn = parseFunction("lambda-app", parseStage(scenario.stage), parseHostArchitecture(process.arch));
      const observer = createObserver(environment);
      return {
        endpoint: session.environment.AWS_ENDPOINT_URL ?? "",
        close: () => closeState(session),
        start: (endpoint) =>
          start(scenario.argv, {
            ...environment,
            AWS_ENDPOINT_URL: endpoint,
            ...signAs(scenario, profiles),
          }),
        observe: () => observer.observe(fn),
        findMissingGrants() {
          const calls = parseRecord(readFileSync(record, "utf8"));
          // Without its calls on record there would be nothing to lack.
          if (grants.every(({ calledBy }) => calledBy(calls).length === 0)) return ["its calls on record"];
          return grants.flatMap(({ findMissing }) => findMissing(calls));
        },
      };
    },
    remove() {
      for (const command of running) command.kill();
      scratch.remove();
    },
  };
}

async function closeState(session: StageSession): Promise<void> {
  await session.close();
  await stopServer(session.environment.AWS_ENDPOINT_URL ?? "");
}

function startCommand(directory: string, argv: readonly string[], environment: Environment): RunningCommand {
  const [file = "", ...rest] = argv;
  const child = spawn(join(directory, "node_modules/.bin", file), rest, {
    cwd: directory,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  return { ended: waitFor(child), kill: () => killGroup(child) };
}

async function waitFor(child: ChildProcess): Promise<Ended> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  await once(child, "exit");
  return { exitCode: child.exitCode, output };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
