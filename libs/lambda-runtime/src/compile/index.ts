export { bunPath } from "./bun-executable.ts";
export { type CompiledEngine, compileEngine, engineFlags } from "./compile-engine.ts";
