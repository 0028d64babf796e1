import { formatReference, parseReference } from "../image/reference.ts";
import { findNames, getImage } from "../store/local-images.ts";
import type { CommandContext } from "./command-context.ts";

/**
 * Prints what `docker inspect` prints of an image, as far as this store knows it.
 *
 * @throws CodedError `E_IMAGE_MISSING`, whose exit code 1 the CDK takes for "build it"
 * @see https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Image/operation/ImageInspect
 */
export function runInspect({ store, print }: CommandContext, names: readonly string[]): void {
  const images = names.map((name) => {
    const { descriptor, config, manifest } = getImage(store, name);
    const repoTags = findNames(store, descriptor.digest);
    return {
      Id: descriptor.digest,
      RepoTags: repoTags,
      RepoDigests: [...new Set(repoTags.map((tag) => formatDigestReference(tag, descriptor.digest)))],
      Created: config.created,
      Architecture: config.architecture,
      ...(config.variant !== undefined && { Variant: config.variant }),
      Os: config.os,
      Size: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
      Config: config.config,
      RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
      Descriptor: descriptor,
    };
  });
  print(JSON.stringify(images, null, 2));
}

function formatDigestReference(name: string, digest: `sha256:${string}`): string {
  const { registry, repository } = parseReference(name);
  return formatReference({ registry, repository, digest });
}
