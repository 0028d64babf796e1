import { CodedError } from "@workspace/shared-config";

/** The image that a function's image stands on, or has its C library from. */
export interface BaseImage {
  /** `debian` */
  readonly name: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** `pkg:oci/debian@sha256%3A…?repository_url=public.ecr.aws/docker/library/debian&tag=bookworm-slim` */
  readonly purl: string;
}

/**
 * @param baseImage `glibc`, `scratch` or an image reference with a digest
 * @param dockerfile the text of the Dockerfile that the image is built with: it says where `glibc` is from
 * @returns `undefined` for `scratch`, which is nothing
 * @throws CodedError `E_BASE_IMAGE_UNPINNED`: a tag may name another image tomorrow, and then the same identity would
 * stand for another content
 */
export function findBaseImage(baseImage: string, dockerfile: string): BaseImage | undefined {
  if (baseImage === "scratch") return undefined;
  const isGlibc = baseImage === "glibc";
  const reference = isGlibc ? /^ARG GLIBC_IMAGE=(.*)$/m.exec(dockerfile)?.[1] : baseImage;
  const found = reference === undefined ? undefined : findPinned(reference);
  if (found !== undefined) return found;
  throw new CodedError({
    code: "E_BASE_IMAGE_UNPINNED",
    what: isGlibc
      ? "the Dockerfile's GLIBC_IMAGE is no reference with a digest"
      : "the base image is none of glibc, scratch, and no reference with a digest",
    value: reference,
    remedy: isGlibc
      ? "Write `ARG GLIBC_IMAGE=REPOSITORY@sha256:DIGEST` into docker/app/Dockerfile."
      : "Name it as REPOSITORY@sha256:DIGEST in BASE_IMAGE or in the stage table of libs/shared-config.",
  });
}

/** @see https://github.com/package-url/purl-spec/blob/main/types/oci-definition.json */
function findPinned(reference: string): BaseImage | undefined {
  const parts = /^([^\s@]+?)(?::([\w.-]+))?@(sha256:[0-9a-f]{64})$/.exec(reference);
  if (parts === null) return undefined;
  const [, repository = "", tag, digest = ""] = parts;
  const name = repository.slice(repository.lastIndexOf("/") + 1);
  // Where a name without a registry is looked up is the container CLI's choice.
  const isLocated = /^(?:localhost|[^/]*[.:][^/]*)\//.test(repository);
  const qualifiers = [
    ...(isLocated ? [`repository_url=${repository.replaceAll(":", "%3A")}`] : []),
    ...(tag === undefined ? [] : [`tag=${tag}`]),
  ];
  const query = qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`;
  return { name, digest, purl: `pkg:oci/${name}@${encodeURIComponent(digest)}${query}` };
}
