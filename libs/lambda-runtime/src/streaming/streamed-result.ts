import type { StreamedResult } from "../runtime-api/runtime-client.ts";

type Pieces = AsyncIterable<unknown>;

/** What a handler may return to have it streamed: an async iterable, such as an async generator or a `ReadableStream`. */
export function isPieces(value: unknown): value is Pieces {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** Strings go as UTF-8, bytes as they are, anything else as JSON. */
export function streamPieces(pieces: Pieces, contentType = () => "application/octet-stream") {
  return startStream(toBytes(pieces), contentType);
}

/** @param contentType is read when the first piece has come. @throws what the source throws before its first piece */
async function startStream(
  pieces: AsyncGenerator<Uint8Array>,
  contentType: () => string,
): Promise<StreamedResult> {
  const first = await pieces.next();
  return { contentType: contentType(), first, source: pieces };
}

async function* toBytes(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else yield Buffer.from(typeof piece === "string" ? piece : JSON.stringify(piece));
  }
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
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
  const prelude = { statusCode: response.status, headers, cookies: response.headers.getSetCookie() };
  return startStream(withPrelude(prelude, response.body), () => httpResponseContentType);
}

async function* withPrelude(
  prelude: HttpPrelude,
  body: AsyncIterable<Uint8Array> | null,
): AsyncGenerator<Uint8Array> {
  yield buildPrelude(prelude);
  if (body !== null) yield* body;
}
