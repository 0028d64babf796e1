import { createHash } from "node:crypto";
import { CodedError } from "@workspace/shared-config";

/** `sha256:` and 64 hex digits. */
export type Digest = `sha256:${string}`;

export function isDigest(value: string): value is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(value);
}

/** @throws CodedError `E_DIGEST_MALFORMED` */
export function parseDigest(value: string): Digest {
  if (isDigest(value)) return value;
  throw new CodedError({
    code: "E_DIGEST_MALFORMED",
    what: "not a digest that is supported here: sha256: and 64 hex digits",
    value,
    remedy: "Correct the reference, or choose an image whose digests are SHA-256.",
  });
}

export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The digest's 64 hex digits, which name a blob's file. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}
