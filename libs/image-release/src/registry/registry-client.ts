import { CodedError } from "@workspace/shared-config";
import { type Descriptor, digestOf } from "./digest.ts";
import type { RegistryLogin } from "./registry-login.ts";

/**
 * One repository of a registry, by the OCI distribution API. Every method throws CodedError `E_REGISTRY_UNREACHABLE`,
 * `E_REGISTRY_REFUSED`, and `E_REGISTRY_ANSWER_INCOMPLETE` for an answer without a header that it needs.
 * @see https://specs.opencontainers.org/distribution-spec/
 */
export interface RegistryClient {
  /** @param reference a digest or a tag */
  getManifest(reference: string): Promise<Manifest>;
  /** The digest of what a digest or a tag stands for. */
  resolve(reference: string): Promise<string>;
  /** What refers to a manifest, such as an SBOM. */
  listReferrers(digest: string): Promise<Referrer[]>;
  hasBlob(digest: string): Promise<boolean>;
  getBlob(digest: string): Promise<ReadableStream<Uint8Array>>;
  /** The registry checks the digest, and refuses other content. */
  putBlob(digest: string, content: ReadableStream<Uint8Array>): Promise<void>;
  /** @param reference a tag, or the digest */
  putManifest(reference: string, manifest: Manifest): Promise<void>;
}

/** A manifest that says something about another one. */
export interface Referrer extends Descriptor {
  readonly artifactType?: string;
}

export interface Manifest {
  readonly mediaType: string;
  readonly text: string;
}

const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** @param signal ends whatever is under way */
export function createRegistryClient(
  { endpoint, username, password }: RegistryLogin,
  repositoryName: string,
  signal: AbortSignal,
): RegistryClient {
  const base = `${endpoint.replace(/\/$/, "")}/v2/${repositoryName}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

  /** @param accepted further statuses that are an answer and no failure */
  async function request(url: string | URL, init: RequestInit, accepted: readonly number[] = []) {
    const response = await reach(url, { ...init, signal, redirect: "manual" });
    if (response.ok || accepted.includes(response.status)) return response;
    throw new CodedError({
      code: "E_REGISTRY_REFUSED",
      what: `${init.method ?? "GET"} ${new URL(url).pathname} failed with ${response.status}`,
      value: (await response.text()).slice(0, 500),
      remedy:
        "See what the registry says of it; check the permissions on both repositories, then run it again.",
    });
  }
  const send = (url: string | URL, init: RequestInit = {}, accepted: readonly number[] = []) =>
    request(url, { ...init, headers: { authorization, ...init.headers } }, accepted);

  async function getManifest(reference: string): Promise<Manifest> {
    const headers = { accept: manifestTypes.join(", ") };
    const response = await send(`${base}/manifests/${reference}`, { headers });
    return { mediaType: requireHeader(response, "content-type"), text: await response.text() };
  }

  return {
    getManifest,
    resolve: async (reference) => digestOf((await getManifest(reference)).text),
    async listReferrers(digest) {
      const response = await send(`${base}/referrers/${digest}`);
      const { manifests } = (await response.json()) as { manifests: Referrer[] };
      return manifests;
    },
    async hasBlob(digest) {
      const response = await send(`${base}/blobs/${digest}`, { method: "HEAD" }, [404, ...redirects]);
      return response.status !== 404;
    },
    async getBlob(digest) {
      const response = await send(`${base}/blobs/${digest}`, {}, redirects);
      // ECR answers with a signed URL of S3, which must not see the registry's password.
      const blob = redirects.includes(response.status) ? await request(locate(response, base), {}) : response;
      if (blob.body === null) throw new TypeError(`${base}/blobs/${digest} has no body`);
      return blob.body;
    },
    async putBlob(digest, content) {
      const started = await send(`${base}/blobs/uploads/`, { method: "POST" });
      const sent = await send(locate(started, base), {
        method: "PATCH",
        body: content,
        duplex: "half",
        headers: { "content-type": "application/octet-stream" },
      });
      const commit = locate(sent, base);
      commit.searchParams.set("digest", digest);
      await send(commit, { method: "PUT" });
    },
    async putManifest(reference, { mediaType, text }) {
      await send(`${base}/manifests/${reference}`, {
        method: "PUT",
        body: text,
        headers: { "content-type": mediaType },
      });
    },
  };
}

/** Where it goes on; the registry may answer with a path alone. */
function locate(response: Response, base: string): URL {
  return new URL(requireHeader(response, "location"), base);
}

function requireHeader(response: Response, name: string): string {
  const value = response.headers.get(name);
  if (value !== null) return value;
  throw new CodedError({
    code: "E_REGISTRY_ANSWER_INCOMPLETE",
    what: `the registry answered without the header ${name}`,
    value: `${response.status} from ${new URL(response.url).pathname}`,
    remedy: "Check that a registry answers there, and no proxy in between takes the header out.",
  });
}

/** A connection that was refused or cut is no answer; the signal's own reason is handed on. */
async function reach(url: string | URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new CodedError({
      code: "E_REGISTRY_UNREACHABLE",
      what: `${init.method ?? "GET"} ${new URL(url).pathname} got no answer`,
      value: new URL(url).host,
      remedy: "Check the network, then run the command again: what has been copied is not copied again.",
      cause,
    });
  }
}
