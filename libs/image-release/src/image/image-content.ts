import { createHash } from "node:crypto";
import { buildContentTag, CodedError } from "@workspace/shared-config";

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

/** @throws CodedError `E_BASE_IMAGE_UNPINNED` */
export function identifyImageContent({ contextId, platform, baseImage }: ImageContentProps): ImageContent {
  assertPinned(baseImage);
  const contentId = createHash("sha256")
    .update(JSON.stringify([contextId, platform, baseImage]))
    .digest("hex");
  return { contentId, contentTag: buildContentTag(contentId) };
}

/** A tag may name another image tomorrow, and then the same identity would stand for another content. */
function assertPinned(baseImage: string): void {
  const ofTheDockerfile = ["glibc", "scratch"];
  if (ofTheDockerfile.includes(baseImage) || /@sha256:[0-9a-f]{64}$/.test(baseImage)) return;
  throw new CodedError({
    code: "E_BASE_IMAGE_UNPINNED",
    what: `the base image is none of ${ofTheDockerfile.join(", ")}, and no reference with a digest`,
    value: baseImage,
    remedy: "Name it as REPOSITORY@sha256:DIGEST in BASE_IMAGE or in the stage table of libs/shared-config.",
  });
}
