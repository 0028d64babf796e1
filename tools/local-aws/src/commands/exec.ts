import { spawn } from "node:child_process";
import { fstatSync, openSync, readSync } from "node:fs";
import { constants, devNull } from "node:os";
import { join } from "node:path";
import { CodedError } from "@workspace/shared-config";
import { attach, findStatus } from "../attachment.ts";
import { choosePort, type StateDirectory } from "../state-directory.ts";

export interface ExecProps {
  readonly state: StateDirectory;
  readonly region: string;
  /** @default the state's own; a free one where the state is new */
  readonly port?: number;
  readonly command: readonly string[];
  /** How to start a server of this state that ends by itself: argv, without the port. */
  readonly serverArgv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const startTimeoutMs = 30_000;
/** How long the port of the state may be taken by something that isn't its server. */
const settleTimeoutMs = 3000;

/** How much of what a server said that didn't start is shown. */
const saidMaxBytes = 2000;

/**
 * Runs a command against the server of the state, which is started where it isn't up. Gives the exit code.
 * @throws CodedError `E_COMMAND_MISSING`, `E_LOCAL_AWS_NOT_UP`, `E_PORT_TAKEN`, `E_PORT_OF_STATE`, `E_STATE_FOLDER`,
 * `E_STATE_CORRUPT`
 */
export async function exec(props: ExecProps): Promise<number> {
  if (props.command[0] === "") throw missingCommand("");
  const { endpoint, detach } = await attachOrStart(props);
  try {
    return await run(props.command, buildCommandEnvironment(props, endpoint));
  } finally {
    detach();
  }
}

/**
 * None of the caller's own AWS settings reach the command: a profile would win over the keys, and the endpoint of one
 * service over the endpoint of all. Nor do logins at this registry reach the caller's docker configuration and the
 * keychain behind it; an engine, though, finds its own socket by that configuration.
 */
function buildCommandEnvironment({ state, region, environment }: ExecProps, endpoint: string) {
  const ofOthers = Object.entries(environment).filter(([name]) => !name.startsWith("AWS_"));
  const buildsWithoutEngine = environment.CDK_DOCKER === "oci-build";
  return {
    ...(buildsWithoutEngine && { DOCKER_CONFIG: join(state.path, "docker") }),
    ...Object.fromEntries(ofOthers),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "LOCALAWSACCESSKEYID0",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

async function attachOrStart({ state, port, serverArgv, environment }: ExecProps) {
  const deadlineMs = Date.now() + startTimeoutMs;
  const settledMs = Date.now() + settleTimeoutMs;
  let started: StartedServer | undefined;
  while (Date.now() < deadlineMs) {
    const endpoint = state.readEndpoint();
    const up = endpoint && (await findStatus(endpoint, state.path));
    const attached = up && (await attach(endpoint));
    if (attached) return { endpoint, detach: attached.detach };
    // A server that listens but doesn't answer yet is soon attached to; another program never is.
    if (started === undefined && !up && (await isFree(state, port, Date.now() > settledMs)))
      started = startDetached(state, serverArgv, environment);
    // Where another one has the state and a port, that one is starting.
    if (started?.hasEnded() && (state.readPort() === undefined || !(await state.isLocked()))) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new CodedError({
    code: "E_LOCAL_AWS_NOT_UP",
    what: `the local AWS did not start, with its state in ${state.path}`,
    value: started?.readSaid() || undefined,
    remedy: `Do what it says; all of it is in ${state.logFile}.`,
  });
}

/** @throws CodedError `E_PORT_TAKEN` where it isn't and had to be, `E_PORT_OF_STATE` */
async function isFree(state: StateDirectory, wanted: number | undefined, mustBe: boolean): Promise<boolean> {
  try {
    await choosePort(state.readPort(), wanted);
    return true;
  } catch (error) {
    if (mustBe || !(error instanceof CodedError) || error.code !== "E_PORT_TAKEN") throw error;
    return false;
  }
}

interface StartedServer {
  readonly hasEnded: () => boolean;
  /** The end of what the log has got since. */
  readonly readSaid: () => string;
}

/** The server outlives the command that needed it first: others may be attached by then. */
function startDetached(
  state: StateDirectory,
  serverArgv: readonly string[],
  environment: ExecProps["environment"],
): StartedServer {
  const [file = "", ...argv] = serverArgv;
  state.create();
  const log = openSync(state.logFile, "a+");
  const { size: sizeBefore } = fstatSync(log);
  const child = spawn(file, argv, {
    stdio: ["ignore", log, log],
    detached: true,
    env: environment as NodeJS.ProcessEnv,
  });
  child.unref();
  return {
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    readSaid() {
      const { size } = fstatSync(log);
      const start = Math.max(sizeBefore, size - saidMaxBytes);
      const said = Buffer.alloc(Math.max(size - start, 0));
      readSync(log, said, 0, said.length, start);
      return said.toString().trim();
    },
  };
}

function run(
  [file = "", ...argv]: readonly string[],
  environment: Record<string, string | undefined>,
): Promise<number> {
  const child = spawn(file, argv, { stdio: "inherit", env: environment as NodeJS.ProcessEnv });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on("exit", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
    child.on("error", (cause) => reject(missingCommand(file, cause)));
  });
}

function missingCommand(file: string, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_COMMAND_MISSING",
    what: "the command could not be started",
    value: file,
    remedy: "Check its spelling, and that it is installed.",
    cause,
  });
}
