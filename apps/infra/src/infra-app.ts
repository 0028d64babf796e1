import type { FunctionOnStage } from "@workspace/shared-config";
import type { App } from "aws-cdk-lib";
import { createCheckedApp } from "./checked-app.ts";
import { findSettings } from "./function-settings.ts";
import { type DeployedImage, FunctionStack } from "./function-stack.ts";
import { RepositoryStack } from "./repository-stack.ts";

export interface InfraAppProps {
  readonly account: string;
  readonly region: string;
  readonly functions: readonly { readonly fn: FunctionOnStage; readonly image: DeployedImage }[];
  /** The folder of the assembly. @default the CDK CLI's choice */
  readonly outdir?: string;
}

/** The names of a function's stacks, in the order in which deploy carries them out. */
export function listStackNames({ repositoryStackName, stackName }: FunctionOnStage): string[] {
  return [repositoryStackName, stackName];
}

/** Two stacks for each function, so that no function is in another's way. Pure: what it needs to know is given. */
export function buildInfraApp({ account, region, functions, outdir }: InfraAppProps): App {
  const deployedStacks = functions.flatMap(({ fn }) => listStackNames(fn));
  const app = createCheckedApp(outdir, deployedStacks);
  const env = { account, region };
  for (const { fn, image } of functions) {
    const tags = { function: fn.project, stage: fn.stage.name };
    const repository = new RepositoryStack(app, fn.repositoryStackName, { env, tags, fn });
    const stack = new FunctionStack(app, fn.stackName, {
      env,
      tags,
      fn,
      settings: findSettings(fn),
      image,
    });
    stack.addStackDependency(repository, "the image must be there before the function");
  }
  return app;
}
