export type { Context, Handler } from "./handler.ts";
