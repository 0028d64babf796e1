import { type Descriptor, describeContent, digestOf } from "../registry/digest.ts";
import type { RegistryClient } from "../registry/registry-client.ts";

/** A statement about an image. It refers to the image, which stays the single manifest that Lambda demands. */
export interface Attachment {
  /** The media type of its content, too. */
  readonly artifactType: string;
  /** Made only where the image does not have it yet. */
  readonly build: () => Promise<string>;
}

/**
 * Attaches what the image does not have yet, as OCI referrers.
 * @param digest of the image's manifest
 * @returns the artifact types that were attached
 * @see https://specs.opencontainers.org/image-spec/manifest/#guidelines-for-artifact-usage
 */
export async function attachMissing(
  registry: RegistryClient,
  digest: string,
  attachments: readonly Attachment[],
): Promise<string[]> {
  const present = await registry.listReferrers(digest);
  const missing = attachments.filter(
    ({ artifactType }) => !present.some((referrer) => referrer.artifactType === artifactType),
  );
  if (missing.length === 0) return [];
  const image = await registry.getManifest(digest);
  const subject = describeContent(image.mediaType, image.text);
  for (const { artifactType, build } of missing) await attach(registry, subject, artifactType, await build());
  return missing.map(({ artifactType }) => artifactType);
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
/** Where an artifact has no configuration. @see https://specs.opencontainers.org/image-spec/manifest/#guidance-for-an-empty-descriptor */
const empty = { mediaType: "application/vnd.oci.empty.v1+json", content: "{}" };

async function attach(
  registry: RegistryClient,
  subject: Descriptor,
  artifactType: string,
  content: string,
): Promise<void> {
  for (const blob of [empty.content, content]) {
    const digest = digestOf(blob);
    if (!(await registry.hasBlob(digest))) await registry.putBlob(digest, new Blob([blob]).stream());
  }
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType,
    config: describeContent(empty.mediaType, empty.content),
    layers: [describeContent(artifactType, content)],
    subject,
  });
  await registry.putManifest(digestOf(text), { mediaType: manifestType, text });
}
