import { join } from "node:path";
import { findCaller, refuseOtherAccount } from "@workspace/handoff";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { buildStageEnvironment, parseStageChoice } from "@workspace/stage-run";
import { formatError } from "@workspace/terminal";
import { resolveFunctions } from "./commands/synth.ts";
import { prepareImages } from "./deployed-images.ts";
import { buildInfraApp } from "./infra-app.ts";
import { outputDirectory, type Surroundings } from "./surroundings.ts";

/** The app of `cdk.json`, for the CDK CLI on its own: every function, with what is published now. */
async function synthesize(): Promise<void> {
  const stage = parseStageChoice([], process.env);
  const { AWS_REGION: region, BASE_IMAGE: baseImage } = buildStageEnvironment(stage, process.env);
  const surroundings: Surroundings = {
    stage,
    region,
    baseImage,
    nodeArch: process.arch,
    onProgress: () => {},
    onDetail: () => {},
    signal: new AbortController().signal,
  };
  await refuseOtherAccount(stage, region);
  const functions = await resolveFunctions(surroundings);
  const [{ account }, images] = await Promise.all([
    findCaller(region),
    prepareImages(surroundings, functions, join(outputDirectory, `cdk-app-${stage.name}`)),
  ]);
  buildInfraApp({ account, region, functions: images }).synth();
}

try {
  await synthesize();
} catch (error) {
  process.stderr.write(formatError(error));
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
