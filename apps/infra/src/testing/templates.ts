import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type FunctionOnStage,
  functions,
  parseFunction,
  type StageName,
  stages,
} from "@workspace/shared-config";
import { type App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { DeployedImage } from "../function-stack.ts";
import { buildInfraApp } from "../infra-app.ts";

export const published: DeployedImage = { kind: "published", tag: "0a1b2c3d4e5f" };

/** The placeholder, from a context that has just a Dockerfile. */
export function initialImage(): DeployedImage {
  const contextDirectory = mkdtempSync(join(tmpdir(), "initial-context-"));
  writeFileSync(join(contextDirectory, "Dockerfile"), "FROM scratch\n");
  return { kind: "initial", contextDirectory, baseImage: "scratch" };
}

export function functionOn(stage: StageName): FunctionOnStage {
  return parseFunction("lambda-app", stages[stage], "x86_64");
}

/** Every function of the table: each may have resources of its own. */
export function functionsOn(stage: StageName): FunctionOnStage[] {
  return Object.keys(functions).map((project) => parseFunction(project, stages[stage], "x86_64"));
}

/** @param fns @default every function of the table */
export function buildApp(stage: StageName, image: DeployedImage, fns = functionsOn(stage)): App {
  const { region } = stages[stage];
  return buildInfraApp({ account: "111111111111", region, functions: fns.map((fn) => ({ fn, image })) });
}

/** The templates of one function's two stacks. */
export function synthesize(
  fn: FunctionOnStage,
  image: DeployedImage,
): { function: Template; repository: Template } {
  const app = buildApp(fn.stage.name, image, [fn]);
  const templateOf = (id: string) => {
    const stack = app.node.findChild(id);
    if (!(stack instanceof Stack)) throw new Error(`${id} is no stack`);
    return Template.fromStack(stack);
  };
  return { function: templateOf(fn.stackName), repository: templateOf(fn.repositoryStackName) };
}
