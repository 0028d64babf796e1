import type { Purpose } from "@workspace/handoff";

/** The side that an identity is for: a release role need not be able to deploy. */
export const sides = ["release", "deploy"] as const satisfies readonly Purpose[];
export type Side = (typeof sides)[number];
