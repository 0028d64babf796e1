import type { Writable } from "node:stream";
import type { Context } from "../handler/context.ts";
import type { Failure, StreamedResult } from "../runtime-api/runtime-client.ts";
import { buildPrelude, type HttpPrelude, httpResponseContentType, streamPieces } from "./streamed-result.ts";

/** A handler as AWS's runtimes for Node.js take it: `awslambda.streamifyResponse((event, stream, context) => …)`. */
export type AwsStreamingHandler = (
  event: unknown,
  stream: AwsResponseStream,
  context: Context,
) => void | Promise<void>;

export type AwsResponseStream = Writable & { setContentType(contentType: string): void };

const marker = Symbol.for("aws.lambda.runtime.handler.streaming");

/**
 * What AWS's runtimes for Node.js define as `globalThis.awslambda`, so that code written for them runs here.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export const awslambda = {
  streamifyResponse(handler: AwsStreamingHandler): AwsStreamingHandler {
    return Object.assign(handler, { [marker]: "response" });
  },
  HttpResponseStream: {
    from(stream: AwsResponseStream, prelude: HttpPrelude): AwsResponseStream {
      stream.setContentType(httpResponseContentType);
      stream.write(buildPrelude(prelude));
      return stream;
    },
  },
};

export function isAwsStreaming(handler: object): handler is AwsStreamingHandler {
  return marker in handler;
}

/**
 * The handler ends the stream, before or after it returns. What it throws comes after all that it has written; what it
 * throws after the end of the stream is only in {@link StreamedResult.rest}, since the caller has the end already.
 *
 * @throws what the handler throws before its first write
 */
export async function runAwsStreaming(
  handler: AwsStreamingHandler,
  event: unknown,
  context: Context,
): Promise<StreamedResult> {
  const { PassThrough } = await import("node:stream");
  let contentType = "application/octet-stream";
  const through = new PassThrough();
  const write = through.write.bind(through);
  const stream = Object.assign(through, {
    setContentType(value: string) {
      contentType = value;
    },
    /** AWS's client writes as JSON what is neither text nor bytes. */
    write(piece: unknown, ...more: [BufferEncoding, (() => void)?]) {
      return write(
        typeof piece === "string" || piece instanceof Uint8Array ? piece : JSON.stringify(piece),
        ...more,
      );
    },
  });
  let failure: Failure | undefined;
  const run = async () => handler(event, stream, context);
  const rest = run().then(
    () => undefined,
    (error: unknown) => {
      failure = { error };
      stream.end();
      return failure;
    },
  );
  const pieces = readAll(stream, () => failure);
  return { ...(await streamPieces(pieces, () => contentType)), rest };
}

/** @throws what the handler has thrown, after all that it has written */
async function* readAll(
  stream: AsyncIterable<unknown>,
  findFailure: () => Failure | undefined,
): AsyncGenerator<unknown> {
  let broken: Failure | undefined;
  try {
    yield* stream;
  } catch (error) {
    broken = { error };
  }
  // Who goes on to write after the handler has thrown breaks the stream, which says nothing new.
  const failure = findFailure() ?? broken;
  if (failure !== undefined) throw failure.error;
}
