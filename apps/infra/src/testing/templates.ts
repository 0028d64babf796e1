import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FunctionOnStage, parseFunction, type StageName, stages } from "@workspace/shared-config";
import { Stack } from "aws-cdk-lib";
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

export function buildApp(fn: FunctionOnStage, image: DeployedImage) {
  return buildInfraApp({ account: "111111111111", region: fn.stage.region, functions: [{ fn, image }] });
}

/** The templates of one function's two stacks. */
export function synthesize(
  fn: FunctionOnStage,
  image: DeployedImage,
): { function: Template; repository: Template } {
  const app = buildApp(fn, image);
  const templateOf = (id: string) => {
    const stack = app.node.findChild(id);
    if (!(stack instanceof Stack)) throw new Error(`${id} is no stack`);
    return Template.fromStack(stack);
  };
  return { function: templateOf(fn.stackName), repository: templateOf(fn.repositoryStackName) };
}
