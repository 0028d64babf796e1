export type { NpmPackage } from "./bundled-packages.ts";
export { buildImageContext, type ImageContext, type ImageContextProps } from "./image-context.ts";
export { initialAppEntry } from "./initial-app.ts";
