export { bunPath } from "./bun-executable.ts";
export { type CompiledEngine, compileEngine } from "./compile-engine.ts";
