import { join } from "node:path";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { Command } from "commander";
import { findStatus } from "./attachment.ts";
import { exec } from "./commands/exec.ts";
import { reset } from "./commands/reset.ts";
import { serve } from "./commands/serve.ts";
import { openStateDirectory, parsePort } from "./state-directory.ts";

const workspaceRoot = join(import.meta.dirname, "../../..");
const { env } = process;
const state = openStateDirectory(env.LOCAL_AWS_STATE || join(workspaceRoot, ".local-aws"));
const region = env.AWS_REGION || "eu-central-1";
const recordFile = env.LOCAL_AWS_RECORD || undefined;

const program = new Command("local-aws")
  .description("The AWS APIs that this workspace calls, on one loopback port. For development, on Linux.")
  .enablePositionalOptions();

program
  .command("serve")
  .description("serve until Ctrl-C")
  .option("--port <number>", "where the state is new; LOCAL_AWS_PORT says it, too", env.LOCAL_AWS_PORT)
  .option("--ends-when-idle", "end once no command is attached and no work is under way", false)
  .action(async (options: { port?: string; endsWhenIdle: boolean }) => {
    const { endsWhenIdle } = options;
    const port = options.port ? parsePort(options.port) : undefined;
    const { endpoint, ended } = await serve({ state, region, port, recordFile, endsWhenIdle });
    console.log(`local AWS at ${endpoint}, state in ${state.path}`);
    await ended;
    process.exit(exitCodes.done);
  });

program
  .command("exec")
  .description("run a command against it; it is started where it isn't up, and ends by itself")
  .passThroughOptions()
  .argument("<command...>")
  .action(async (command: string[]) => {
    const serverArgv = [join(workspaceRoot, "node_modules/.bin/local-aws"), "serve", "--ends-when-idle"];
    const port = env.LOCAL_AWS_PORT ? parsePort(env.LOCAL_AWS_PORT) : undefined;
    process.exitCode = await exec({ state, region, port, command, serverArgv, environment: env });
  });

program
  .command("status")
  .description("say whether it is up, and what it does")
  .action(async () => {
    const endpoint = state.readEndpoint();
    const status = endpoint && (await findStatus(endpoint, state.path));
    const answer = { up: Boolean(status), stateDirectory: state.path, endpoint, ...(status || {}) };
    console.log(JSON.stringify(answer, undefined, 2));
  });

program
  .command("reset")
  .description("end it and forget everything; refused while a command is attached")
  .action(() => reset(state));

function refuseOtherSystems(): void {
  if (process.platform === "linux") return;
  throw new CodedError({
    code: "E_LINUX_ONLY",
    what: "the local AWS runs functions as Linux processes",
    value: process.platform,
    remedy:
      "Open the workspace in its dev container (.devcontainer), or in WSL; or set AWS_ENDPOINT_URL to another endpoint.",
  });
}

try {
  refuseOtherSystems();
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
