import { resolveAllPublished } from "@workspace/handoff";
import { CodedError, exitCodes } from "@workspace/shared-config";
import { buildStageEnvironment, parseStageChoice } from "@workspace/stage-run";
import { buildInfraApp } from "./infra-app.ts";
import {
  buildClients,
  chooseFunctions,
  findAccount,
  prepareImage,
  type Surroundings,
} from "./surroundings.ts";

/** The app of `cdk.json`, for the CDK CLI on its own: every function, with what is published now. */
async function synthesize(): Promise<void> {
  const stage = parseStageChoice([], process.env);
  const { AWS_REGION: region = stage.region, BASE_IMAGE: baseImage = stage.baseImage } =
    buildStageEnvironment(stage, process.env);
  const surroundings: Surroundings = {
    stage,
    region,
    baseImage,
    nodeArch: process.arch,
    onProgress: () => {},
    onDetail: () => {},
    signal: new AbortController().signal,
  };
  const fns = chooseFunctions(surroundings);
  const [account, published] = await Promise.all([
    findAccount(surroundings),
    resolveAllPublished(buildClients(surroundings), fns),
  ]);
  const images = fns.map(async (fn, index) => ({
    fn,
    image: await prepareImage(surroundings, fn, published[index] ?? { kind: "initial" }),
  }));
  buildInfraApp({ account, region, functions: await Promise.all(images) }).synth();
}

try {
  await synthesize();
} catch (error) {
  console.error(error instanceof CodedError ? error.message : error);
  process.exitCode = error instanceof CodedError ? error.exitCode : exitCodes.failed;
}
