import type { Change } from "../files/file-tree.ts";
import type { Digest } from "../image/digest.ts";
import type { ImageConfig } from "../image/image-config.ts";
import type { Descriptor } from "../image/manifest.ts";

/** A layer whose blob is, or can be had, in the store. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** The digest of the tar itself, uncompressed. */
  readonly diffId: Digest;
}

/** A layer that is yet to be written, or found: what it changes says all about it. */
export interface PlannedLayer {
  readonly changes: readonly Change[];
  /** The instruction that asks for it. */
  readonly createdBy: string;
}

/** An image to build on, whole in the store. */
export interface BaseImage {
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}
