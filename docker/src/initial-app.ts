import { join } from "node:path";

/** The entry of the placeholder app; its image's Dockerfile stands beside it. */
export const initialAppEntry = join(import.meta.dirname, "../initial/handler.ts");
