import type { Writable } from "node:stream";
import type { Context } from "../handler/context.ts";
import type { StreamedResult } from "../runtime-api/runtime-client.ts";
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

/** The handler ends the stream; an error that it throws destroys it. */
export async function runAwsStreaming(
  handler: AwsStreamingHandler,
  event: unknown,
  context: Context,
): Promise<StreamedResult> {
  const { PassThrough } = await import("node:stream");
  let contentType = "application/octet-stream";
  const stream = Object.assign(new PassThrough(), {
    setContentType(value: string) {
      contentType = value;
    },
  });
  const run = async () => handler(event, stream, context);
  run().catch((error) => stream.destroy(error));
  return streamPieces(stream, () => contentType);
}
