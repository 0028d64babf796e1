import { Readable } from "node:stream";
import { CodedError } from "@workspace/shared-config";
import { type Digest, digestOf } from "../image/digest.ts";
import { acceptedManifests, type Descriptor } from "../image/manifest.ts";
import type { Store } from "../store/store.ts";
import { createExchanger, type ExchangerProps } from "./exchange.ts";
import { readBody } from "./read-body.ts";
import { TransientFailure } from "./registry-error.ts";
import { withRetries } from "./retry.ts";

export interface RegistryClientProps extends ExchangerProps {
  readonly onRetry: (text: string) => void;
  /** @default 200 */
  readonly firstRetryDelayMs?: number;
}

export interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Called with the number of bytes that have gone over the line since the last call. */
export type OnBytes = (bytes: number) => void;

/**
 * One registry's API, as far as building and pushing need it. Every method tries again what may pass, and throws
 * CodedError: `E_REGISTRY_UNREACHABLE`, those of `buildRefusal`, and `E_DIGEST_MISMATCH`.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export interface RegistryClient {
  /** Proves that the credentials are good. */
  ping(): Promise<void>;
  /** The digest under a tag. */
  findDigest(repository: string, tag: string): Promise<string | undefined>;
  findManifest(repository: string, reference: string): Promise<FoundManifest | undefined>;
  putManifest(repository: string, reference: string, manifest: FoundManifest): Promise<Response>;
  hasBlob(repository: string, digest: Digest): Promise<boolean>;
  /** @param mountFrom a repository of the registry that may have the blob already */
  pushBlob(props: PushBlobProps): Promise<"sent" | "mounted">;
  /** Into the store, its digest and size checked. */
  pullBlob(props: PullBlobProps): Promise<void>;
}

export interface PushBlobProps {
  readonly repository: string;
  readonly blob: Descriptor;
  readonly open: () => Readable;
  readonly mountFrom?: string;
  readonly onBytes?: OnBytes;
}

export interface PullBlobProps {
  readonly repository: string;
  readonly blob: Descriptor;
  readonly store: Store;
  readonly onBytes?: OnBytes;
}

export function createRegistryClient(props: RegistryClientProps): RegistryClient {
  const { onRetry, firstRetryDelayMs, ...exchangerProps } = props;
  const { host } = exchangerProps;
  const exchange = createExchanger(exchangerProps);
  const retrying = <T>(what: string, work: () => Promise<T>) =>
    withRetries(
      { what, onRetry, ...(firstRetryDelayMs !== undefined && { firstDelayMs: firstRetryDelayMs }) },
      work,
    );

  return {
    async ping() {
      const action = "the login";
      await retrying(`logging in to ${host}`, () =>
        exchange({
          method: "GET",
          location: "/v2/",
          repository: "",
          access: "pull",
          action,
          expected: [200],
        }),
      );
    },

    async findDigest(repository, tag) {
      const action = `HEAD manifest ${tag}`;
      const response = await retrying(action, () =>
        exchange({
          method: "HEAD",
          location: `/v2/${repository}/manifests/${tag}`,
          headers: { accept: acceptedManifests.join(", ") },
          repository,
          access: "pull",
          action,
          expected: [200, 404],
        }),
      );
      return response.ok ? (response.headers.get("docker-content-digest") ?? undefined) : undefined;
    },

    async findManifest(repository, reference) {
      const action = `GET manifest ${reference}`;
      return retrying(action, async () => {
        const response = await exchange({
          method: "GET",
          location: `/v2/${repository}/manifests/${reference}`,
          headers: { accept: acceptedManifests.join(", ") },
          repository,
          access: "pull",
          action,
          expected: [200, 404],
        });
        const bytes = await readBody(response, action);
        if (!response.ok) return undefined;
        const digest = digestOf(bytes);
        const expected = reference.startsWith("sha256:")
          ? reference
          : (response.headers.get("docker-content-digest") ?? digest);
        if (digest !== expected) throw digestMismatch(host, action, digest, expected);
        const mediaType = response.headers.get("content-type")?.split(";")[0] ?? "";
        return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
      });
    },

    putManifest(repository, reference, { descriptor, bytes }) {
      const action = `PUT manifest ${reference}`;
      return retrying(action, () =>
        exchange({
          method: "PUT",
          location: `/v2/${repository}/manifests/${reference}`,
          headers: { "content-type": descriptor.mediaType },
          body: () => Buffer.from(bytes),
          repository,
          access: "pull,push",
          action,
          expected: [200, 201],
        }),
      );
    },

    async hasBlob(repository, digest) {
      const action = `HEAD blob ${digest}`;
      const response = await retrying(action, () =>
        exchange({
          method: "HEAD",
          location: `/v2/${repository}/blobs/${digest}`,
          repository,
          access: "pull,push",
          action,
          expected: [200, 404],
        }),
      );
      return response.ok;
    },

    pushBlob({ repository, blob, open, mountFrom, onBytes = () => {} }) {
      const action = `PUT blob ${blob.digest}`;
      return retrying(action, async () => {
        const common = { repository, access: "pull,push", action } as const;
        const mount =
          mountFrom === undefined ? "" : `?${new URLSearchParams({ mount: blob.digest, from: mountFrom })}`;
        const start = await exchange({
          ...common,
          method: "POST",
          location: `/v2/${repository}/blobs/uploads/${mount}`,
          expected: [201, 202],
        });
        await start.body?.cancel();
        if (start.status === 201) return "mounted";
        const location = start.headers.get("location");
        if (location === null) throw noUpload(host, action, start.status);
        const upload = new URL(location, start.url);
        upload.searchParams.set("digest", blob.digest);
        let sentBytes = 0;
        try {
          await exchange({
            ...common,
            method: "PUT",
            location: upload.href,
            headers: { "content-type": "application/octet-stream", "content-length": String(blob.size) },
            body: () =>
              Readable.toWeb(
                open().on("data", (chunk: string | Buffer) => {
                  sentBytes += chunk.length;
                  onBytes(chunk.length);
                }),
              ) as ReadableStream,
            expected: [201, 204],
          });
        } catch (error) {
          onBytes(-sentBytes);
          throw error;
        }
        return "sent";
      });
    },

    pullBlob({ repository, blob, store, onBytes = () => {} }) {
      const action = `GET blob ${blob.digest}`;
      return retrying(action, async () => {
        const response = await exchange({
          method: "GET",
          location: `/v2/${repository}/blobs/${blob.digest}`,
          repository,
          access: "pull",
          action,
          expected: [200],
        });
        const writer = await store.openBlobWriter();
        let receivedBytes = 0;
        try {
          for await (const chunk of response.body ?? []) {
            receivedBytes += chunk.byteLength;
            if (receivedBytes > blob.size)
              throw digestMismatch(host, action, `${receivedBytes} bytes and more`, blob.size);
            await writer.write(chunk);
            onBytes(chunk.byteLength);
          }
          if (receivedBytes < blob.size)
            throw new TransientFailure(`${host} sent ${receivedBytes} of ${blob.size} bytes`);
          await writer.commit(({ digest }) => {
            if (digest !== blob.digest) throw digestMismatch(host, action, digest, blob.digest);
          });
        } catch (error) {
          await writer.discard();
          onBytes(-receivedBytes);
          throw error instanceof CodedError || error instanceof TransientFailure
            ? error
            : new TransientFailure(`the connection to ${host} was lost`, { cause: error });
        }
      });
    },
  };
}

function noUpload(host: string, action: string, value: number): CodedError {
  return new CodedError({
    code: "E_REGISTRY_REFUSED",
    what: `${host} took ${action} and did not say where to send it: there is no Location`,
    value,
    remedy: "Check that it is a registry, and what stands between.",
  });
}

function digestMismatch(host: string, action: string, value: string, expected: string | number): CodedError {
  return new CodedError({
    code: "E_DIGEST_MISMATCH",
    what: `${host} answered ${action} with other content than ${expected}`,
    value,
    remedy: "Do not trust that registry or what stands between; try again from another network.",
  });
}
