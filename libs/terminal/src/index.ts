export type { CommandResult } from "./command-result.ts";
export { type Interruption, listenForInterruption } from "./interruption.ts";
export { formatError, formatResult } from "./output.ts";
export { createProgressView, type ProgressView } from "./progress-view.ts";
export { print, runToEnd } from "./run-to-end.ts";
export { formatTable } from "./table.ts";
