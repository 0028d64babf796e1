export { buildStageArgv, buildStageEnvironment, parseStageChoice } from "./stage-environment.ts";
