import type { ServiceContext } from "../../service.ts";

export interface ImageReference {
  readonly repositoryName: string;
  readonly imageId: { readonly imageTag: string } | { readonly imageDigest: string };
}

/**
 * `host/name:tag` or `host/name@sha256:…`, where the host is this server's or the one that ECR has on AWS.
 * @returns undefined for all else
 */
export function parseImageUri(
  uri: string,
  { endpoint, accountId, region }: Pick<ServiceContext, "endpoint" | "accountId" | "region">,
): ImageReference | undefined {
  const hosts = [new URL(endpoint).host, `${accountId}.dkr.ecr.${region}.amazonaws.com`];
  const pattern = /^(?<host>[^/]+)\/(?<name>[^:@]+)(?::(?<tag>[\w.-]+)|@(?<digest>sha256:[0-9a-f]{64}))$/;
  const { host, name, tag, digest } = pattern.exec(uri)?.groups ?? {};
  if (host === undefined || name === undefined || !hosts.includes(host)) return undefined;
  if (digest !== undefined) return { repositoryName: name, imageId: { imageDigest: digest } };
  return tag === undefined ? undefined : { repositoryName: name, imageId: { imageTag: tag } };
}
