import { addContentType, readHead } from "../http-event/response-head.ts";
import type { StreamedResult } from "../runtime-api/runtime-client.ts";
import { EngineError } from "../runtime-api/runtime-error.ts";

type Pieces = AsyncIterable<unknown>;

/** What a handler may return to have it streamed: an async iterable, such as an async generator or a `ReadableStream`. */
export function isPieces(value: unknown): value is Pieces {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Strings go as UTF-8, bytes as they are, anything else as JSON. */
export function streamPieces(pieces: Pieces, contentType = () => "application/octet-stream") {
  return startStream(encodePieces(pieces), contentType);
}

/** @param contentType is read when the first piece has come. @throws what the source throws before its first piece */
async function startStream(
  pieces: AsyncGenerator<Uint8Array>,
  contentType: () => string,
): Promise<StreamedResult> {
  const first = await pieces.next();
  return { contentType: contentType(), first, source: pieces };
}

async function* encodePieces(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield findBytes(piece) ?? Buffer.from(JSON.stringify(piece));
}

/** @returns undefined where it is neither text nor bytes */
function findBytes(piece: unknown): Uint8Array | undefined {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === "string") return Buffer.from(piece);
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  return piece instanceof ArrayBuffer ? new Uint8Array(piece) : undefined;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming */
export const httpResponseContentType = "application/vnd.awslambda.http-integration-response";

/** What a streamed HTTP answer begins with. */
export interface HttpPrelude {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
}

/** The prelude and the eight zero bytes that end it. */
export function buildPrelude(prelude: HttpPrelude): Buffer {
  return Buffer.from(`${JSON.stringify(prelude)}${"\0".repeat(8)}`);
}

/** A web response with its status and headers, and its body while it is made. */
export function streamWebResponse(response: Response): Promise<StreamedResult> {
  return startStream(writeWebResponse(response), () => httpResponseContentType);
}

/** The prelude goes out at once, or with the first piece where that must tell the body's type. */
async function* writeWebResponse(response: Response): AsyncGenerator<Uint8Array> {
  const { headers, cookies } = readHead(response);
  const prelude = { statusCode: response.status, headers, cookies };
  let pending = !("content-type" in headers);
  if (!pending) yield buildPrelude(prelude);
  for await (const piece of readBody(response)) {
    if (pending) yield buildPrelude({ ...prelude, headers: addContentType(headers, isTextSoFar(piece)) });
    pending = false;
    yield piece;
  }
  if (pending) yield buildPrelude(prelude);
}

/** A ReadableStream can hold anything; what a Response may hold of that is text and bytes. */
async function* readBody({ body }: Response): AsyncGenerator<Uint8Array> {
  const pieces: AsyncIterable<unknown> | null = body;
  for await (const piece of pieces ?? []) {
    const bytes = findBytes(piece);
    if (bytes === undefined) {
      throw new EngineError(
        "Runtime.MarshalError",
        `a piece of the body is ${typeof piece}, not text or bytes`,
      );
    }
    yield bytes;
  }
}

/** The last character may go on in the next piece. */
function isTextSoFar(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
