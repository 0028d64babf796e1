import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunCliProps {
  readonly store: string;
  readonly cwd?: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The command as its users run it: a process of its own. */
export function runCli(argv: readonly string[], props: RunCliProps): Promise<CliRun> {
  return runProcess(join(import.meta.dirname, "../../bin/oci-build"), argv, {
    ...props,
    environment: {
      OCI_BUILD_STORE: props.store,
      DOCKER_CONFIG: join(props.store, "docker"),
      ...props.environment,
    },
  });
}

/** Any command, with nothing of this process's environment but PATH and HOME. */
export async function runProcess(
  file: string,
  argv: readonly string[],
  { cwd, input = "", environment = {} }: Omit<RunCliProps, "store">,
): Promise<CliRun> {
  const child = spawn(file, argv, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    ...(cwd && { cwd }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  child.stdin.on("error", () => {}); // A command that doesn't read its input has ended by then.
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
