import { createHash } from "node:crypto";

/** What a manifest says of a blob or of another manifest. @see https://specs.opencontainers.org/image-spec/descriptor/ */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

export function digestOf(content: string | Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

export function describeContent(mediaType: string, content: string): Descriptor {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}
