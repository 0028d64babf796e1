import { join } from "node:path";
import { CodedError, containerCliEnvironment } from "@workspace/shared-config";
import { execa } from "execa";
import { workspaceRoot } from "./surroundings.ts";

/** What keeps the CDK CLI from asking, and from any network but AWS's. */
const quietFlags = ["--no-notices", "--no-version-reporting", "--ci"];
const quietEnvironment = {
  CDK_DISABLE_CLI_TELEMETRY: "true",
  CDK_DISABLE_VERSION_CHECK: "1",
  NODE_NO_WARNINGS: "1",
  // Node compiles the CLI's 16 MB each time otherwise; Node 20 knows no such cache.
  NODE_COMPILE_CACHE: join(workspaceRoot, "node_modules/.cache/node-compile"),
};

/** The name of every change set that `deploy` makes. */
export const changeSetName = "hand-off";

/** Prepares a change set for every stack of an assembly, assets included; nothing is carried out. */
export function buildPrepareArgv(assembly: string): string[] {
  const method = ["--method", "prepare-change-set", "--change-set-name", changeSetName];
  return ["deploy", "--all", "--app", assembly, ...method, "--require-approval", "never", ...quietFlags];
}

/** Carries every stack of an assembly out at once: for what holds no function, and so needs no lease. */
export function buildDeployArgv(assembly: string): string[] {
  return ["deploy", "--all", "--app", assembly, "--require-approval", "never", ...quietFlags];
}

/** Compares templates only: the change set that the CLI would make otherwise needs more than the right to read. */
export function buildDiffArgv(assembly: string): string[] {
  return ["diff", "--app", assembly, "--method", "template", ...quietFlags];
}

export function buildBootstrapArgv(account: string, region: string): string[] {
  return ["bootstrap", `aws://${account}/${region}`, ...quietFlags];
}

export interface CdkRunProps {
  /** Hears every line, as it comes. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Runs the CDK CLI, unmodified. Gives its standard output. @throws CodedError `E_CDK_FAILED` with what it said last */
export async function runCdk(argv: readonly string[], { onLine, signal }: CdkRunProps): Promise<string> {
  const child = execa(join(workspaceRoot, "node_modules/.bin/cdk"), argv, {
    env: { ...quietEnvironment, ...containerCliEnvironment },
    stdin: "ignore",
    cancelSignal: signal,
    all: true,
    reject: false,
  });
  const said: string[] = [];
  for await (const line of child.iterable({ from: "all" })) {
    if (line.trim() === "") continue;
    said.push(line);
    onLine(line);
  }
  const result = await child;
  if (!result.failed) return result.stdout;
  if (signal.aborted) throw signal.reason;
  throw new CodedError({
    code: "E_CDK_FAILED",
    what: `cdk ${argv[0]} exited with ${result.exitCode ?? result.signal}`,
    value: said.slice(-15).join("\n"),
    remedy: "Mend what it says, and run the command again.",
  });
}
