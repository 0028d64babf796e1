import { CodedError } from "@workspace/shared-config";
import { digestOf } from "../image/digest.ts";
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  isIndex,
  mediaTypes,
  parseManifest,
} from "../image/manifest.ts";
import { parseReference } from "../image/reference.ts";
import type { Progress } from "../progress/progress.ts";
import type { Store } from "../store/store.ts";
import { pushBlobs } from "./push-image.ts";
import type { Registries } from "./registries.ts";
import type { RegistryClient } from "./registry-client.ts";

export interface AttachProps {
  readonly store: Store;
  readonly registries: Registries;
  /** The image in its registry; nothing of it needs to be in the store. */
  readonly reference: string;
  /** `application/vnd.cyclonedx+json` */
  readonly artifactType: string;
  readonly content: Uint8Array;
  /** What the content is called, without folders. */
  readonly title: string;
  readonly progress: Progress;
}

/**
 * Attaches a document, such as a bill of materials, to an image that is in its registry: a manifest of its own, whose
 * subject is the image. The image stays as it is. Attaching the same again changes nothing.
 *
 * @returns the manifest's descriptor
 * @throws CodedError `E_SUBJECT_MISSING`, those of RegistryClient
 * @see https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
 */
export async function attach(props: AttachProps): Promise<Descriptor> {
  const { store, registries, artifactType, progress } = props;
  const { registry, repository } = parseReference(props.reference);
  const client = registries(registry);
  const { mediaType, digest, size } = await findSubject(client, props.reference);
  const empty = Buffer.from("{}");
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: mediaTypes.ociEmpty, digest: store.putBlob(empty), size: empty.byteLength },
    layers: [
      {
        mediaType: artifactType,
        digest: store.putBlob(props.content),
        size: props.content.byteLength,
        annotations: { "org.opencontainers.image.title": props.title },
      },
    ],
    subject: { mediaType, digest, size },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await pushBlobs({ store, client, registry, repository, progress }, [...manifest.layers, manifest.config]);
  const response = await client.putManifest(repository, descriptor.digest, { descriptor, bytes });
  // A registry that has the referrers API says so here; to any other, a client keeps the list itself.
  if (!response.headers.has("oci-subject")) {
    await addToList(client, repository, digest, { ...descriptor, artifactType });
  }
  return { ...descriptor, artifactType };
}

/**
 * What is attached to an image, from the referrers API or, where the registry lacks it, from the list that clients keep.
 *
 * @throws CodedError `E_SUBJECT_MISSING`, those of RegistryClient
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function listReferrers(
  registries: Registries,
  reference: string,
): Promise<readonly Descriptor[]> {
  const { registry, repository } = parseReference(reference);
  const client = registries(registry);
  const { digest } = await findSubject(client, reference);
  const answer = await client.findDocument(repository, `referrers/${digest}`);
  if (answer === undefined) return (await findList(client, repository, digest)).manifests;
  const index = parseManifest(answer);
  return isIndex(index) ? index.manifests : [];
}

async function findSubject(client: RegistryClient, reference: string): Promise<Descriptor> {
  const { repository, tag, digest } = parseReference(reference);
  const found = await client.findManifest(repository, digest ?? tag ?? "latest");
  if (found !== undefined) return found.descriptor;
  throw new CodedError({
    code: "E_SUBJECT_MISSING",
    what: "the registry has no such image",
    value: reference,
    remedy: "Push it first.",
  });
}

/** The tag of the list that clients keep: `sha256-` and the subject's 64 hex digits. */
function listTag(subject: string): string {
  return subject.replace(":", "-");
}

async function findList(client: RegistryClient, repository: string, subject: string): Promise<ImageIndex> {
  const found = await client.findManifest(repository, listTag(subject));
  const list = found && parseManifest(found.bytes);
  return list !== undefined && isIndex(list)
    ? list
    : { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
}

async function addToList(
  client: RegistryClient,
  repository: string,
  subject: string,
  entry: Descriptor,
): Promise<void> {
  const list = await findList(client, repository, subject);
  if (list.manifests.some(({ digest }) => digest === entry.digest)) return;
  const bytes = Buffer.from(JSON.stringify({ ...list, manifests: [...list.manifests, entry] }));
  const descriptor = { mediaType: list.mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await client.putManifest(repository, listTag(subject), { descriptor, bytes });
}
