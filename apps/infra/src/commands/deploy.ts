import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import {
  type DeployResult,
  deployInfra,
  findEvent,
  type HandoffClients,
  type Lease,
  type Published,
  smokeEventPath,
} from "@workspace/handoff";
import type { FunctionOnStage } from "@workspace/shared-config";
import { buildPrepareArgv, changeSetName, runCdk } from "../cdk-cli.ts";
import { executeChangeSet } from "../change-set.ts";
import { listStackNames } from "../infra-app.ts";
import {
  buildClients,
  chooseFunctions,
  outputDirectory,
  type Surroundings,
  workspaceRoot,
} from "../surroundings.ts";
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
    surroundings.signal.throwIfAborted();
    const { onProgress } = surroundings;
    const result = await deployInfra(clients, fn, {
      deployStacks: (published, leaseSignal, guard) => {
        const signal = AbortSignal.any([leaseSignal, surroundings.signal]);
        return deployStacks(surroundings, clients, { fn, published, signal, guard });
      },
      smokeEvent: await findEvent(smokeEventPath(workspaceRoot, fn.project)),
      onProgress,
    });
    deployed.push({ project: fn.project, ...result, functionUrl: await findFunctionUrl(clients, fn) });
  }
  return deployed;
}

interface DeployStacksProps {
  readonly fn: FunctionOnStage;
  readonly published: Published;
  /** Aborts when the command is to end, or the lease is lost. */
  readonly signal: AbortSignal;
  readonly guard: Lease["guard"];
}

async function deployStacks(
  surroundings: Surroundings,
  { cloudformation }: HandoffClients,
  { fn, published, signal, guard }: DeployStacksProps,
): Promise<void> {
  const { onProgress, onDetail } = surroundings;
  const step = (text: string) => onProgress({ kind: "step", text });
  step(
    published.kind === "published"
      ? `the template names the published ${published.tag}`
      : "nothing is released yet: the template names the placeholder",
  );
  // A folder of its own: the CDK CLI of a deploy that was killed may still read another.
  await mkdir(outputDirectory, { recursive: true });
  const directory = await mkdtemp(join(outputDirectory, `${fn.stackName}-`));
  try {
    const assembly = await writeAssembly(surroundings, [{ fn, published }], directory);
    step("the CDK prepares the change sets");
    await runCdk(buildPrepareArgv(assembly), { onLine: onDetail, signal });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  for (const stackName of listStackNames(fn)) {
    step(`CloudFormation brings ${stackName} to the template`);
    const outcome = await executeChangeSet(cloudformation, {
      stackName,
      changeSetName,
      onEvent: onDetail,
      signal,
      guard,
    });
    if (outcome === "unchanged") onDetail(`${stackName}: no changes`);
  }
}

async function findFunctionUrl(
  { cloudformation }: HandoffClients,
  { stackName }: FunctionOnStage,
): Promise<string | undefined> {
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackName }));
  return Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === "FunctionUrl")?.OutputValue;
}
