export type { Context } from "./handler/context.ts";
export { type FetchApp, type FetchEnvironment, type Handler, streamResponse } from "./handler/handler.ts";
export { findHttpEvent, type HttpEvent } from "./http-event/http-event.ts";
export type { HttpResult } from "./http-event/http-result.ts";
export { onShutdown, type ShutdownHook } from "./lifecycle/shutdown.ts";
