import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { digestOf } from "../image/digest.ts";

export interface TestRegistryProps {
  /** @default no login */
  readonly auth?: "basic" | "bearer";
  /** Answers `TAG_INVALID` where a tag would move, as ECR does. */
  readonly immutableTags?: boolean;
  /** Answers in the registry's place, by returning true; this is where faults come in. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A registry in this process, for the faults that a real one doesn't have on demand. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `PUT /v2/app/manifests/1`, in the order of their arrival. */
  readonly requests: readonly string[];
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** By `repository@digest` and `repository:tag`. */
  readonly manifests: ReadonlyMap<string, StoredManifest>;
  addBlob(bytes: Buffer): string;
  addManifest(repository: string, reference: string, mediaType: string, document: object): string;
  close(): Promise<void>;
}

export const testCredentials = { username: "AWS", password: "pass:word" };

export async function startTestRegistry(props: TestRegistryProps = {}): Promise<TestRegistry> {
  const requests: string[] = [];
  const blobs = new Map<string, Buffer>();
  const repositories = new Set<string>();
  const manifests = new Map<string, StoredManifest>();
  const token = randomUUID();

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (props.intercept?.(request, response)) return;
    answer(request, response).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${host}`);
    if (url.pathname === "/token") return answerToken(request, response);
    if (!isAuthorized(request)) {
      const challenge =
        props.auth === "bearer" ? `Bearer realm="http://${host}/token",service="test"` : 'Basic realm="test"';
      response.writeHead(401, { "www-authenticate": challenge }).end();
      return;
    }
    if (url.pathname === "/v2/") {
      response.end("{}");
      return;
    }
    const [, repository = "", kind, name = ""] =
      /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    const bytes = await buffer(request);
    if (kind === "blobs/uploads") return answerUpload(request, response, url, repository, bytes);
    if (kind === "manifests") return answerManifest(request, response, repository, name, bytes);
    const blob = kind === "blobs" && repositories.has(`${repository}@${name}`) ? blobs.get(name) : undefined;
    if (blob === undefined) return refuse(response, 404, "BLOB_UNKNOWN", "unknown");
    response.writeHead(200, { "content-length": blob.byteLength });
    response.end(request.method === "HEAD" ? undefined : blob);
  }

  function isAuthorized({ headers: { authorization } }: IncomingMessage): boolean {
    if (props.auth === undefined) return true;
    return authorization === (props.auth === "bearer" ? `Bearer ${token}` : basic);
  }

  function answerToken({ headers }: IncomingMessage, response: ServerResponse): void {
    if (headers.authorization !== undefined && headers.authorization !== basic) {
      refuse(response, 401, "UNAUTHORIZED", "incorrect username or password");
    } else response.end(JSON.stringify({ token: headers.authorization === basic ? token : "anonymous" }));
  }

  function answerUpload(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    repository: string,
    bytes: Buffer,
  ): void {
    const mount = url.searchParams.get("mount");
    if (mount !== null && repositories.has(`${url.searchParams.get("from")}@${mount}`)) {
      repositories.add(`${repository}@${mount}`);
      response.writeHead(201).end();
      return;
    }
    if (request.method === "POST") {
      const location = `/v2/${repository}/blobs/uploads/${randomUUID()}?state=x`;
      response.writeHead(202, { location }).end();
      return;
    }
    const digest = digestOf(bytes);
    if (digest !== url.searchParams.get("digest")) refuse(response, 400, "DIGEST_INVALID", digest);
    else {
      blobs.set(digest, bytes);
      repositories.add(`${repository}@${digest}`);
      response.writeHead(201).end();
    }
  }

  function answerManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    reference: string,
    bytes: Buffer,
  ): void {
    const key = reference.startsWith("sha256:") ? `${repository}@${reference}` : `${repository}:${reference}`;
    const stored = manifests.get(key);
    if (request.method === "PUT") {
      const mediaType = request.headers["content-type"] ?? "";
      storeManifest(response, repository, key, { mediaType, bytes });
    } else if (stored === undefined) refuse(response, 404, "MANIFEST_UNKNOWN", "unknown");
    else {
      response.writeHead(200, {
        "content-type": stored.mediaType,
        "content-length": stored.bytes.byteLength,
        "docker-content-digest": digestOf(stored.bytes),
      });
      response.end(request.method === "HEAD" ? undefined : stored.bytes);
    }
  }

  function storeManifest(
    response: ServerResponse,
    repository: string,
    key: string,
    manifest: StoredManifest,
  ): void {
    const stored = manifests.get(key);
    const digest = digestOf(manifest.bytes);
    if (props.immutableTags && stored !== undefined && digestOf(stored.bytes) !== digest) {
      const message = `The image tag already exists in '${repository}' and cannot be overwritten because the tag is immutable.`;
      refuse(response, 400, "TAG_INVALID", message);
      return;
    }
    manifests.set(key, manifest).set(`${repository}@${digest}`, manifest);
    response.writeHead(201, { "docker-content-digest": digest }).end();
  }

  return {
    host,
    requests,
    blobs,
    manifests,
    addBlob(bytes) {
      const digest = digestOf(bytes);
      blobs.set(digest, bytes);
      return digest;
    },
    addManifest(repository, reference, mediaType, document) {
      const bytes = Buffer.from(JSON.stringify(document));
      const digest = digestOf(bytes);
      for (const blob of blobs.keys()) repositories.add(`${repository}@${blob}`);
      manifests.set(`${repository}:${reference}`, { mediaType, bytes });
      manifests.set(`${repository}@${digest}`, { mediaType, bytes });
      return digest;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const basic = `Basic ${Buffer.from(`${testCredentials.username}:${testCredentials.password}`).toString("base64")}`;

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
