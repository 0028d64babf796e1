export { bunPath } from "./bun-executable.ts";
export { type CompiledEngine, compileEngine, engineEnvironment, engineFlags } from "./compile-engine.ts";
export { keepNewest } from "./keep-newest.ts";
