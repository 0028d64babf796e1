import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Blobs } from "../ecr/blobs.ts";
import { type Target, writeError, writeUnsupported } from "./answers.ts";

/** Reads a blob, or the part of it that a range names. */
export async function answerBlob(target: Target, blobs: Blobs): Promise<void> {
  const { request, response, repositoryName, reference } = target;
  if (request.method !== "GET" && request.method !== "HEAD") return writeUnsupported(target);
  if (!blobs.has(repositoryName, reference)) {
    return writeError(response, 404, "BLOB_UNKNOWN", `blob unknown to registry: ${reference}`);
  }
  const sizeBytes = blobs.sizeOf(repositoryName, reference);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const start = Number(range?.[1] ?? 0);
  const end = Math.min(Number(range?.[2] || sizeBytes - 1), sizeBytes - 1);
  if (range !== null && start > end) {
    return writeError(response, 416, "RANGE_INVALID", `the blob has ${sizeBytes} bytes`);
  }
  response.writeHead(range === null ? 200 : 206, {
    "content-type": "application/octet-stream",
    "content-length": end - start + 1,
    "docker-content-digest": reference,
    "accept-ranges": "bytes",
    ...(range !== null && { "content-range": `bytes ${start}-${end}/${sizeBytes}` }),
  });
  if (request.method === "HEAD" || sizeBytes === 0) response.end();
  else await pipeline(createReadStream(blobs.pathOf(repositoryName, reference), { start, end }), response);
}
