import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { type DeployResult, deployInfra, type HandoffClients, type Published } from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import { buildPrepareArgv, changeSetName, runCdk } from "../cdk-cli.ts";
import { executeChangeSet } from "../change-set.ts";
import { buildClients, chooseFunctions, type Surroundings, workspaceRoot } from "../surroundings.ts";
import { ensureBootstrapped } from "./bootstrap.ts";
import { writeAssembly } from "./synth.ts";

/** What was deployed for one function. */
export interface DeployedFunction extends DeployResult {
  readonly project: string;
  readonly functionUrl: string | undefined;
}

/** Deploys functions one after another, each under its own lease. */
export async function deploy(surroundings: Surroundings, only?: string): Promise<DeployedFunction[]> {
  const clients = buildClients(surroundings);
  await ensureBootstrapped(surroundings, clients);
  const deployed: DeployedFunction[] = [];
  for (const fn of chooseFunctions(surroundings, only)) {
    const { onProgress } = surroundings;
    const result = await deployInfra(clients, fn, {
      deployStacks: (published, signal) =>
        deployStacks(surroundings, clients, fn, published, AbortSignal.any([signal, surroundings.signal])),
      smokeEvent: await findSmokeEvent(fn.project),
      onProgress,
    });
    deployed.push({ project: fn.project, ...result, functionUrl: await findFunctionUrl(clients, fn) });
  }
  return deployed;
}

async function deployStacks(
  surroundings: Surroundings,
  { cloudformation }: HandoffClients,
  fn: FunctionOnStage,
  published: Published,
  signal: AbortSignal,
): Promise<void> {
  const { onProgress, onDetail } = surroundings;
  const step = (text: string) => onProgress({ kind: "step", text });
  step(
    published.kind === "published"
      ? `the template names the published ${published.tag}`
      : "nothing is released yet: the template names the placeholder",
  );
  const assembly = await writeAssembly(surroundings, [{ fn, published }], fn.stackName);
  step("the CDK prepares the change sets");
  await runCdk(buildPrepareArgv(assembly), { onLine: onDetail, signal });
  for (const stackName of [fn.repositoryStackName, fn.stackName]) {
    step(`CloudFormation brings ${stackName} to the template`);
    const outcome = await executeChangeSet(cloudformation, {
      stackName,
      changeSetName,
      onEvent: onDetail,
      signal,
    });
    if (outcome === "unchanged") onDetail(`${stackName}: no changes`);
  }
}

async function findSmokeEvent(project: string): Promise<string | undefined> {
  try {
    return await readFile(join(workspaceRoot, "apps", project, "smoke-event.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function findFunctionUrl(
  { cloudformation }: HandoffClients,
  { stackName }: FunctionOnStage,
): Promise<string | undefined> {
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackName }));
  return Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === "FunctionUrl")?.OutputValue;
}
