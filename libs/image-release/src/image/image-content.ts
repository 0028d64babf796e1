import { createHash } from "node:crypto";
import { buildContentTag } from "@workspace/shared-config";

export interface ImageContentProps {
  /** Of the build context: 64 hex digits. */
  readonly contextId: string;
  /** `linux/amd64` */
  readonly platform: string;
  /** `glibc`, `scratch` or an image reference with a digest. */
  readonly baseImage: string;
}

/** The identity of what an image is built from. */
export interface ImageContent {
  /** 64 hex digits. */
  readonly contentId: string;
  /** `content-` and 32 hex digits: the tag by which the same content is found again. */
  readonly contentTag: string;
}

export function identifyImageContent({ contextId, platform, baseImage }: ImageContentProps): ImageContent {
  const contentId = createHash("sha256")
    .update(JSON.stringify([contextId, platform, baseImage]))
    .digest("hex");
  return { contentId, contentTag: buildContentTag(contentId) };
}
