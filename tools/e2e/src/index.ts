export { createScratchWorkspace, type ScratchWorkspace } from "./scratch-workspace.ts";
export { type Environment, openStageSession, type StageSession } from "./stage-session.ts";
export { createWorld, type World } from "./story/world.ts";
