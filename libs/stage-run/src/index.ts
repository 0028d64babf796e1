export { buildStageEnvironment, parseStageChoice } from "./stage-environment.ts";
