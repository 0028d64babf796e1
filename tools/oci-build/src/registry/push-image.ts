import { CodedError } from "@workspace/shared-config";
import type { Descriptor } from "../image/manifest.ts";
import { parseReference } from "../image/reference.ts";
import { formatBytes, type Progress } from "../progress/progress.ts";
import { getImage } from "../store/local-images.ts";
import type { Store } from "../store/store.ts";
import type { Registries } from "./registries.ts";
import type { RegistryClient } from "./registry-client.ts";

export interface PushImageProps {
  readonly store: Store;
  readonly registries: Registries;
  /** What the image is called in the store, and where it goes. */
  readonly name: string;
  readonly progress: Progress;
}

/**
 * Sends what the registry lacks: blobs first, the manifest last, so that what it has under a tag is whole. An image
 * that is there already costs one request.
 *
 * @returns the manifest's descriptor
 * @throws CodedError `E_IMAGE_MISSING`, `E_DIGEST_MISMATCH`, those of RegistryClient
 */
export async function pushImage({ store, registries, name, progress }: PushImageProps): Promise<Descriptor> {
  const image = getImage(store, name);
  const { registry, repository, tag } = parseReference(name);
  const { descriptor, manifest, manifestBytes } = image;
  const target = tag ?? descriptor.digest;
  const client = registries(registry);
  if ((await client.findDigest(repository, target)) === descriptor.digest) {
    progress.line(`${name} is there already`);
    return descriptor;
  }
  await pushBlobs({ store, client, registry, repository, progress }, [...manifest.layers, manifest.config]);
  const response = await client.putManifest(repository, target, { descriptor, bytes: manifestBytes });
  const stored = response.headers.get("docker-content-digest") ?? descriptor.digest;
  if (stored !== descriptor.digest) {
    throw new CodedError({
      code: "E_DIGEST_MISMATCH",
      what: `${registry} stored another manifest than ${descriptor.digest}`,
      value: stored,
      remedy: "Report it to the registry's operator: it must store manifests as they are sent.",
    });
  }
  return descriptor;
}

interface PushBlobsProps {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly registry: string;
  readonly repository: string;
  readonly progress: Progress;
}

/** All at once, each only where it is not there yet. */
async function pushBlobs(props: PushBlobsProps, blobs: readonly Descriptor[]): Promise<void> {
  const distinct = new Map(blobs.map((blob) => [blob.digest, blob]));
  await Promise.all([...distinct.values()].map((blob) => pushBlob(props, blob)));
}

async function pushBlob(props: PushBlobsProps, blob: Descriptor): Promise<void> {
  const { store, client, registry, repository, progress } = props;
  const locationKey = `${registry} ${blob.digest}`;
  if (!(await client.hasBlob(repository, blob.digest))) {
    const what = blob.digest.slice(0, 19);
    const known = store.readRecord("locations", locationKey);
    const transfer = progress.transfer(what, blob.size);
    const how = await client
      .pushBlob({
        repository,
        blob,
        open: () => store.streamBlob(blob.digest),
        ...(typeof known === "string" && known !== repository && { mountFrom: known }),
        onBytes: (bytes) => transfer.moved(bytes),
      })
      .catch((error: unknown) => {
        transfer.end("failed");
        throw error;
      });
    transfer.end(`${how}, ${formatBytes(blob.size)}`);
  }
  store.writeRecord("locations", locationKey, repository);
}
