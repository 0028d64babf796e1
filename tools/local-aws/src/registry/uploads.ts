import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, rmSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Blobs, isDigest } from "../ecr/blobs.ts";
import { type Target, writeError, writeUnsupported } from "./answers.ts";

/**
 * Uploads of blobs: in one request, in one PUT after a POST, or in chunks; and mounts from another repository.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
 */
export async function answerUpload(target: Target, blobs: Blobs): Promise<void> {
  const { request, response, url, repositoryName, reference } = target;
  const digest = url.searchParams.get("digest");
  if (request.method === "POST") {
    const [mount, from] = [url.searchParams.get("mount"), url.searchParams.get("from")];
    if (mount !== null && from !== null && blobs.mount(repositoryName, mount, from)) {
      request.resume();
      return writeCreated(target, mount);
    }
    const id = randomUUID();
    await append(target, blobs.uploadPath(id));
    return digest === null ? writeProgress(target, id, blobs, 202) : finish(target, id, digest, blobs);
  }
  const path = blobs.uploadPath(reference);
  if (!/^[0-9a-f-]{36}$/.test(reference) || !existsSync(path)) {
    request.resume();
    return writeError(response, 404, "BLOB_UPLOAD_UNKNOWN", `upload unknown to registry: ${reference}`);
  }
  switch (request.method) {
    case "GET":
      return writeProgress(target, reference, blobs, 204);
    case "DELETE":
      rmSync(path);
      response.writeHead(204).end();
      return;
    case "PATCH":
      if (!continuesAt(target, statSync(path).size)) return writeProgress(target, reference, blobs, 416);
      await append(target, path);
      return writeProgress(target, reference, blobs, 202);
    case "PUT":
      if (!continuesAt(target, statSync(path).size)) return writeProgress(target, reference, blobs, 416);
      await append(target, path);
      return finish(target, reference, digest, blobs);
    default:
      return writeUnsupported(target);
  }
}

/** Whether a chunk says that it begins where the upload is; one that says nothing does. */
function continuesAt({ request }: Target, sizeBytes: number): boolean {
  const from = /^(?:bytes )?(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
  if (from === undefined || Number(from) === sizeBytes) return true;
  request.resume();
  return false;
}

async function append({ request }: Target, path: string): Promise<void> {
  await pipeline(request, createWriteStream(path, { flags: "a" }));
}

async function finish(target: Target, id: string, digest: string | null, blobs: Blobs): Promise<void> {
  const path = blobs.uploadPath(id);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const received = `sha256:${hash.digest("hex")}`;
  if (digest === null || !isDigest(digest) || digest !== received) {
    rmSync(path);
    const message = `Layer digest does not match: ${digest} was announced, ${received} received`;
    return writeError(target.response, 400, "DIGEST_INVALID", message);
  }
  blobs.add(target.repositoryName, digest, path);
  writeCreated(target, digest);
}

function writeCreated({ response, repositoryName }: Target, digest: string): void {
  const location = `/v2/${repositoryName}/blobs/${digest}`;
  response.writeHead(201, { location, "docker-content-digest": digest }).end();
}

/** Says how far the upload is. */
function writeProgress(
  { response, repositoryName }: Target,
  id: string,
  blobs: Blobs,
  status: 202 | 204 | 416,
): void {
  const sizeBytes = statSync(blobs.uploadPath(id)).size;
  response.writeHead(status, {
    location: `/v2/${repositoryName}/blobs/uploads/${id}`,
    "docker-upload-uuid": id,
    range: `0-${Math.max(sizeBytes - 1, 0)}`,
    "content-length": 0,
  });
  response.end();
}
