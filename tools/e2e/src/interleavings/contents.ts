import { buildContentTag, type ImageTag, parseImageTag } from "@workspace/shared-config";

/** What can be released in the model: contents by number, each always under the same commit. */
export interface Content {
  readonly tag: ImageTag;
  readonly contentTag: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Whether the build makes an index, which Lambda refuses. */
  readonly isIndex: boolean;
}

export const healthyContents = [1, 2, 3, 4] as const;
/** Fails its smoke check. */
export const unhealthyContent = 5;
export const indexContent = 6;
/** Released at the very end, by an undisturbed run. */
export const lastContent = 7;

export const initialDigest = `sha256:${"a".repeat(64)}`;

export function buildContent(number: number): Content {
  return {
    tag: parseImageTag(String(number).padStart(12, "0")),
    contentTag: buildContentTag(String(number).repeat(64)),
    digest: `sha256:${String(number).repeat(64)}`,
    isIndex: number === indexContent,
  };
}

export function isHealthy(codeSha256: string): boolean {
  return codeSha256 !== buildContent(unhealthyContent).digest.slice("sha256:".length);
}
