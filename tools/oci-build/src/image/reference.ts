import { CodedError } from "@workspace/shared-config";
import { type Digest, parseDigest } from "./digest.ts";

/** What names an image: `127.0.0.1:5000/team/app:1.2`, `debian@sha256:…`, taken apart and completed. */
export interface Reference {
  /** `docker.io`, `127.0.0.1:5000` */
  readonly registry: string;
  /** `library/debian`, `team/app` */
  readonly repository: string;
  /** `latest` where the reference has neither tag nor digest. */
  readonly tag?: string;
  /** Wins over the tag. */
  readonly digest?: Digest;
}

const repositoryPattern =
  /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const registryPattern = /^(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Completes a short name as docker does: no registry is Docker Hub's, and there no folder is `library`.
 *
 * @throws CodedError `E_REFERENCE_MALFORMED`, `E_DIGEST_MALFORMED`
 * @see https://github.com/distribution/reference/blob/main/reference.go
 */
export function parseReference(value: string): Reference {
  const [named = "", digestText, ...more] = value.split("@");
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const rest = hasRegistry ? named.slice(slash + 1) : named;
  const colon = rest.indexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const registry = hasRegistry && first !== "index.docker.io" ? first : "docker.io";
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  const wellFormed =
    more.length === 0 &&
    registryPattern.test(registry) &&
    repositoryPattern.test(repository) &&
    (tag === undefined || tagPattern.test(tag));
  if (!wellFormed) {
    throw new CodedError({
      code: "E_REFERENCE_MALFORMED",
      what: "not an image reference: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], the repository in lower case",
      value,
      remedy: "Correct it.",
    });
  }
  if (digestText !== undefined) {
    return { registry, repository, ...(tag !== undefined && { tag }), digest: parseDigest(digestText) };
  }
  return { registry, repository, tag: tag ?? "latest" };
}

/** In full: `docker.io/library/debian:latest`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}
