import type { IncomingMessage } from "node:http";

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return isAwsChunked(request) ? decodeAwsChunked(body) : body;
}

function isAwsChunked(request: IncomingMessage): boolean {
  const encoded = String(request.headers["content-encoding"] ?? "").includes("aws-chunked");
  return encoded || String(request.headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-");
}

/**
 * Takes the chunk headers and trailers out that the SDK puts into an upload.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
function decodeAwsChunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf("\r\n", at);
    const sizeBytes = Number.parseInt(body.toString("latin1", at, end), 16);
    if (end < 0 || Number.isNaN(sizeBytes)) throw new Error("malformed aws-chunked body");
    if (sizeBytes === 0) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + sizeBytes));
    at = end + 2 + sizeBytes + 2;
  }
}
