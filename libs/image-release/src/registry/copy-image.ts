import { CodedError } from "@workspace/shared-config";
import { type Descriptor, digestOf } from "./digest.ts";
import type { RegistryClient } from "./registry-client.ts";

/**
 * Copies an image from repository to repository as it is, so that its digest stays. Blobs that are there already are
 * not sent again; the manifest comes last, so that an image is there whole or not at all.
 * @param tag what it is put under. @default undefined: its digest alone
 * @param onProgress what is being copied: `blob 2 of 3, 52.9 MB`
 * @throws CodedError `E_DIGEST_MISMATCH`, those of RegistryClient
 */
export async function copyImage(
  source: RegistryClient,
  target: RegistryClient,
  { digest, tag = digest }: { readonly digest: string; readonly tag?: string },
  onProgress: (text: string) => void,
): Promise<void> {
  const manifest = await source.getManifest(digest);
  const found = digestOf(manifest.text);
  if (found !== digest) {
    throw new CodedError({
      code: "E_DIGEST_MISMATCH",
      what: `the registry gave another manifest than ${digest}`,
      value: found,
      remedy:
        "Run the command again; if it stays so, something between here and the registry changes content.",
    });
  }
  const blobs = listBlobs(manifest.text);
  for (const [index, blob] of blobs.entries()) {
    if (await target.hasBlob(blob.digest)) continue;
    onProgress(`blob ${index + 1} of ${blobs.length}, ${(blob.size / 1e6).toFixed(1)} MB`);
    await target.putBlob(blob.digest, await source.getBlob(blob.digest));
  }
  await target.putManifest(tag, manifest);
}

/** Copies what refers to an image, such as its SBOM, as far as it is not there yet. */
export async function copyReferrers(
  source: RegistryClient,
  target: RegistryClient,
  digest: string,
  onProgress: (text: string) => void,
): Promise<void> {
  const present = (await target.listReferrers(digest)).map((referrer) => referrer.digest);
  for (const referrer of await source.listReferrers(digest)) {
    if (!present.includes(referrer.digest)) {
      await copyImage(source, target, { digest: referrer.digest }, onProgress);
    }
  }
}

/** Configuration and layers. @see https://specs.opencontainers.org/image-spec/manifest/ */
function listBlobs(manifest: string): Descriptor[] {
  const { config, layers } = JSON.parse(manifest) as { config: Descriptor; layers: Descriptor[] };
  return [config, ...layers];
}
