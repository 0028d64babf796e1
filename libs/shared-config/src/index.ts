export {
  CodedError,
  type CodedErrorProps,
  type ExitCode,
  exitCodeMeanings,
  exitCodes,
} from "./coded-error.ts";
export { containerCliEnvironment } from "./container-cli.ts";
export {
  type FunctionConfig,
  type FunctionOnStage,
  functions,
  liveAlias,
  parseFunction,
  parseHostArchitecture,
} from "./functions.ts";
export {
  buildContentTag,
  buildImageTag,
  type ImageTag,
  initialTag,
  isImageTag,
  parseImageTag,
  splitImageTag,
} from "./image-tag.ts";
export {
  type Architecture,
  defaultStageName,
  parseStage,
  type Stage,
  type StageName,
  stageNames,
  stages,
} from "./stages.ts";
