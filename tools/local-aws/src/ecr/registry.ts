import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readBody } from "../body.ts";
import { type Route, ServiceException } from "../service.ts";
import type { Images } from "./images.ts";
import type { Passwords } from "./passwords.ts";

const pathPattern =
  /^\/v2\/(?<name>.+?)\/(?<kind>manifests|blobs\/uploads|blobs|tags|referrers)\/(?<reference>[^/]*)$/;

/** What the codes of the distribution API are for the ECR exceptions. */
const codes: Readonly<Record<string, { code: string; status: number }>> = {
  RepositoryNotFoundException: { code: "NAME_UNKNOWN", status: 404 },
  ImageTagAlreadyExistsException: { code: "TAG_INVALID", status: 400 },
  LayersNotFoundException: { code: "MANIFEST_BLOB_UNKNOWN", status: 400 },
  ReferencedImagesNotFoundException: { code: "MANIFEST_BLOB_UNKNOWN", status: 400 },
  ImageDigestDoesNotMatchException: { code: "DIGEST_INVALID", status: 400 },
};

/**
 * The OCI distribution API, as ECR speaks it.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createRegistry(images: Images, passwords: Passwords, log: (line: string) => void): Route {
  return async (request, response, url) => {
    try {
      if (!isAuthorized(request, url, passwords)) {
        await readBody(request);
        const headers = { "www-authenticate": 'Basic realm="local-aws",service="ecr.amazonaws.com"' };
        writeError(response, 401, "UNAUTHORIZED", "Not Authorized", headers);
        return;
      }
      response.setHeader("docker-distribution-api-version", "registry/2.0");
      if (url.pathname === "/v2/") {
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
        return;
      }
      const { name, kind, reference } = pathPattern.exec(url.pathname)?.groups ?? {};
      if (name === undefined || reference === undefined) {
        writeError(response, 404, "UNSUPPORTED", url.pathname);
        return;
      }
      images.mustFindRepository(name);
      const target: Target = { request, response, url, name, reference };
      if (kind === "manifests") await answerManifest(target);
      else if (kind === "blobs") await answerBlob(target);
      else if (kind === "blobs/uploads") await answerUpload(target);
      else if (kind === "tags") answerJson(response, { name, tags: [...images.listTags(name).keys()] });
      else answerReferrers(target);
    } catch (error) {
      if (!(error instanceof ServiceException)) throw error;
      const { code, status } = codes[error.name] ?? { code: "UNKNOWN", status: 400 };
      log(`registry ${request.method} ${url.pathname}: ${error.name}`);
      writeError(response, status, code, error.message);
    }
  };

  async function answerManifest({ request, response, name, reference }: Target): Promise<void> {
    if (request.method === "PUT") {
      const mediaType = request.headers["content-type"] ?? "application/vnd.oci.image.manifest.v1+json";
      const { digest, subject } = images.putManifest(name, reference, await readBody(request), mediaType);
      const location = `/v2/${name}/manifests/${digest}`;
      response
        .writeHead(201, {
          location,
          "docker-content-digest": digest,
          ...(subject && { "oci-subject": subject }),
        })
        .end();
      return;
    }
    const image = images.findImage(name, reference);
    if (image === undefined)
      return writeError(response, 404, "MANIFEST_UNKNOWN", `Requested image not found: ${reference}`);
    const content = images.readManifest(image.digest);
    response.writeHead(200, {
      "content-type": image.mediaType,
      "content-length": content.length,
      "docker-content-digest": image.digest,
    });
    response.end(request.method === "HEAD" ? undefined : content);
  }

  async function answerBlob({ request, response, reference }: Target): Promise<void> {
    if (!images.hasBlob(reference)) return writeError(response, 404, "BLOB_UNKNOWN", reference);
    const sizeBytes = images.sizeOf(reference);
    const headers = { "content-type": "application/octet-stream", "docker-content-digest": reference };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] || sizeBytes - 1), sizeBytes - 1);
    response.writeHead(range ? 206 : 200, {
      ...headers,
      "content-length": end - start + 1,
      "accept-ranges": "bytes",
      ...(range && { "content-range": `bytes ${start}-${end}/${sizeBytes}` }),
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(images.blobPath(reference), { start, end }), response);
  }

  async function answerUpload(target: Target): Promise<void> {
    const { request, response, url, name, reference } = target;
    const digest = url.searchParams.get("digest");
    if (request.method === "POST") {
      const mount = url.searchParams.get("mount");
      if (mount !== null && images.hasBlob(mount)) return created(target, mount);
      const id = randomUUID();
      const size = await append(request, join(images.uploadsDirectory, id));
      if (digest !== null) return finish(target, id, digest);
      return accepted(response, name, id, size);
    }
    const path = join(images.uploadsDirectory, reference);
    if (!/^[0-9a-f-]{36}$/.test(reference) || !existsSync(path)) {
      return writeError(response, 404, "BLOB_UPLOAD_UNKNOWN", reference);
    }
    if (request.method === "GET") return accepted(response, name, reference, statSync(path).size, 204);
    if (request.method === "DELETE") {
      images.discard(path);
      response.writeHead(204).end();
      return;
    }
    const from = /^(?:bytes )?(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (from !== undefined && Number(from) !== statSync(path).size) {
      await readBody(request);
      return writeError(response, 416, "BLOB_UPLOAD_INVALID", `the upload goes on at ${statSync(path).size}`);
    }
    const size = await append(request, path);
    if (request.method === "PATCH") return accepted(response, name, reference, size);
    if (digest === null) return writeError(response, 400, "DIGEST_INVALID", "no digest given");
    return finish(target, reference, digest);
  }

  async function finish(target: Target, id: string, digest: string): Promise<void> {
    const path = join(images.uploadsDirectory, id);
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    const actual = `sha256:${hash.digest("hex")}`;
    if (actual !== digest) {
      images.discard(path);
      return writeError(target.response, 400, "DIGEST_INVALID", `announced ${digest}, received ${actual}`);
    }
    images.addBlob(digest, path);
    created(target, digest);
  }

  function created({ response, name }: Target, digest: string): void {
    response
      .writeHead(201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest })
      .end();
  }

  function answerReferrers({ response, url, name, reference }: Target): void {
    const artifactType = url.searchParams.get("artifactType");
    const manifests = images
      .listImages(name)
      .filter(
        (image) =>
          image.subject === reference && (artifactType === null || artifactType === image.artifactType),
      )
      .map(({ digest, mediaType, artifactType: type, annotations }) => ({
        mediaType,
        digest,
        size: images.sizeOf(digest),
        artifactType: type,
        annotations,
      }));
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const headers: Record<string, string> =
      artifactType === null ? {} : { "oci-filters-applied": "artifactType" };
    answerJson(response, { schemaVersion: 2, mediaType, manifests }, mediaType, headers);
  }
}

interface Target {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly name: string;
  readonly reference: string;
}

function isAuthorized(request: IncomingMessage, url: URL, passwords: Passwords): boolean {
  const token = url.searchParams.get("token");
  if (token !== null) return passwords.accepts(token);
  const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  const [user, password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return scheme === "Basic" && user === "AWS" && passwords.accepts(password);
}

async function append(request: IncomingMessage, path: string): Promise<number> {
  await pipeline(request, createWriteStream(path, { flags: "a" }));
  return statSync(path).size;
}

function accepted(response: ServerResponse, name: string, id: string, sizeBytes: number, status = 202): void {
  response.writeHead(status, {
    location: `/v2/${name}/blobs/uploads/${id}`,
    "docker-upload-uuid": id,
    range: `0-${Math.max(sizeBytes - 1, 0)}`,
  });
  response.end();
}

function answerJson(
  response: ServerResponse,
  body: object,
  contentType = "application/json",
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { "content-type": contentType, ...headers }).end(JSON.stringify(body));
}

function writeError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
