import { CodedError } from "./coded-error.ts";

declare const imageTagBrand: unique symbol;

/**
 * The tag of a released image: the first 12 hex digits of the commit, `0a1b2c3d4e5f`, or for a tree with
 * uncommitted changes `0a1b2c3d4e5f-dirty-` and the first 12 hex digits of the content's identity.
 * Only {@link parseImageTag} makes one, so `latest` or {@link initialTag} can't become one.
 */
export type ImageTag = string & { readonly [imageTagBrand]: true };

/** The tag of the placeholder image. It is deployed before the first release, and never published. */
export const initialTag = "initial";

const imageTagPattern = /^[0-9a-f]{12}(-dirty-[0-9a-f]{12})?$/;

/** @throws CodedError `E_IMAGE_TAG_MALFORMED` */
export function parseImageTag(value: string): ImageTag {
  if (!isImageTag(value)) {
    throw new CodedError({
      code: "E_IMAGE_TAG_MALFORMED",
      what: "not the tag of a released image: 12 hex digits of a commit, or those and -dirty- and 12 more",
      value,
      remedy: "Publish a tag that `release` made: run `release` or `rollback`, which write the parameter.",
    });
  }
  return value;
}

export function isImageTag(value: string): value is ImageTag {
  return imageTagPattern.test(value);
}

/** `commit` and `contentId` are hex and at least 12 digits long. @throws CodedError `E_IMAGE_TAG_MALFORMED` */
export function buildImageTag(props: { commit: string; dirty: boolean; contentId: string }): ImageTag {
  const commit = props.commit.slice(0, 12);
  return parseImageTag(props.dirty ? `${commit}-dirty-${props.contentId.slice(0, 12)}` : commit);
}

/** What {@link buildImageTag} made a tag of: the first 12 hex digits of the commit, and whether there was more. */
export function splitImageTag(tag: ImageTag): { commit: string; dirty: boolean } {
  const [commit = "", ...more] = tag.split("-");
  return { commit, dirty: more.length > 0 };
}

/** The second tag of every released image, by which the same content is found again: `content-` and 32 hex digits. */
export function buildContentTag(contentId: string): string {
  return `content-${contentId.slice(0, 32)}`;
}
