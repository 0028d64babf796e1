import { type BodyWriter, Connection } from "../wire/connection.ts";
import type { WireResponse } from "../wire/response-parser.ts";
import {
  buildErrorTypeHeader,
  buildRuntimeError,
  buildXRayCause,
  type RuntimeError,
} from "./runtime-error.ts";

/** Which invocation an answer belongs to. */
export interface InvocationKey {
  readonly requestId: string;
  /**
   * Of this attempt: a retry can have the same request id, and must not get the late answer of an attempt that had
   * timed out. Lambda refuses that one by this id.
   *
   * @see https://github.com/aws/aws-lambda-rust-runtime/issues/1155
   */
  readonly invocationId: string | undefined;
}

/** An invocation as the Runtime API hands it out. */
export interface Invocation extends InvocationKey {
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  readonly traceId: string | undefined;
  /** JSON, of the mobile SDKs. */
  readonly clientContext: string | undefined;
  /** JSON, of the mobile SDKs. */
  readonly cognitoIdentity: string | undefined;
  readonly tenantId: string | undefined;
  /** JSON. */
  readonly event: string;
}

/** What the Runtime API's answer to a result means for the engine. */
export type Delivery = "accepted" | "tooLarge" | "refused";

/** The Runtime API can't go on with this process. */
export class RuntimeApiError extends Error {
  override readonly name = "RuntimeApiError";
}

/**
 * A result that is sent while it is made. Its first piece is here already: what fails before that is an error like any
 * other, and nothing has been sent.
 */
export interface StreamedResult {
  readonly contentType: string;
  readonly first: IteratorResult<Uint8Array>;
  /** Where the pieces after the first one come from. */
  readonly source: AsyncIterator<Uint8Array>;
  /** Settles when the handler has ended, which may be long after the source, with what it failed by. */
  readonly rest?: Promise<Failure | undefined>;
}

export interface Failure {
  readonly error: unknown;
}

export interface StreamedDelivery {
  readonly delivery: Delivery;
  /** What the source threw after the first piece. */
  readonly failure: Failure | undefined;
  /**
   * Only where the server wanted no more: settles when the source has let go, which may be never. Rejects with what the
   * source throws meanwhile.
   */
  readonly released: Promise<unknown> | undefined;
}

/** Characters. */
const smallBodyLength = 16 * 1024;

const errorTypeTrailer = "Lambda-Runtime-Function-Error-Type";
const errorBodyTrailer = "Lambda-Runtime-Function-Error-Body";

/**
 * A client of the Runtime API on one connection, for one invocation at a time.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeClient {
  readonly #connection: Connection;
  readonly #host: string;
  readonly #nextHead: string;

  /** @param address host and port, as in `AWS_LAMBDA_RUNTIME_API` */
  constructor(address: string) {
    this.#connection = new Connection(address);
    this.#host = ` HTTP/1.1\r\nHost: ${address}\r\nUser-Agent: lambda-runtime-bun\r\n`;
    this.#nextHead = `GET /2018-06-01/runtime/invocation/next${this.#host}\r\n`;
  }

  /** Waits for an invocation, however long that takes. @throws RuntimeApiError, ConnectionLostError, WireFormatError */
  async next(): Promise<Invocation> {
    const { status, headers, body } = await this.#connection.request(this.#nextHead);
    if (status !== 200) throw new RuntimeApiError(`next was answered with ${status}: ${body.text()}`);
    const requestId = headers.get("lambda-runtime-aws-request-id");
    if (requestId === undefined) throw new RuntimeApiError("next was answered without a request id");
    return {
      requestId,
      invocationId: headers.get("lambda-runtime-invocation-id"),
      deadlineMs: Number(headers.get("lambda-runtime-deadline-ms")),
      functionArn: headers.get("lambda-runtime-invoked-function-arn") ?? "",
      traceId: headers.get("lambda-runtime-trace-id"),
      clientContext: headers.get("lambda-runtime-client-context"),
      cognitoIdentity: headers.get("lambda-runtime-cognito-identity"),
      tenantId: headers.get("lambda-runtime-aws-tenant-id"),
      event: body.text(),
    };
  }

  /** @param body JSON */
  async respond(key: InvocationKey, body: string): Promise<Delivery> {
    const head = `${this.#answerHead(key, "response")}Content-Type: application/json\r\n`;
    return judge(await this.#send(head, body));
  }

  /**
   * Sends a result while it is made. Where its source fails, trailers say so.
   * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
   */
  async respondStreaming(key: InvocationKey, result: StreamedResult): Promise<StreamedDelivery> {
    const head = [
      `${this.#answerHead(key, "response")}Content-Type: ${result.contentType}`,
      "Lambda-Runtime-Function-Response-Mode: streaming",
      "Transfer-Encoding: chunked",
      `Trailer: ${errorTypeTrailer}, ${errorBodyTrailer}`,
    ];
    let piece = result.first;
    let asked: Promise<unknown> | undefined;
    let failure: Failure | undefined;
    const response = await this.#connection.stream(`${head.join("\r\n")}\r\n\r\n`, async (body) => {
      while (!piece.done && failure === undefined) {
        await writeChunk(body, piece.value);
        try {
          const next = result.source.next();
          asked = next;
          piece = await next;
        } catch (error) {
          failure = { error };
        }
      }
      const trailers = failure === undefined ? "" : buildErrorTrailers(buildRuntimeError(failure.error));
      await body.write(Buffer.from(`0\r\n${trailers}\r\n`));
    });
    const delivery = judge(response);
    const wantedAll = piece.done || failure !== undefined;
    const released = wantedAll ? undefined : Promise.all([asked, result.source.return?.()]);
    return { delivery, failure, released };
  }

  async fail(key: InvocationKey, error: RuntimeError): Promise<Delivery> {
    const cause = buildXRayCause(error, process.cwd());
    const head = `${this.#answerHead(key, "error")}${buildErrorFields(error)}${
      cause === undefined ? "" : `Lambda-Runtime-Function-XRay-Error-Cause: ${cause}\r\n`
    }`;
    return judge(await this.#send(head, JSON.stringify(error)));
  }

  async failInit(error: RuntimeError): Promise<void> {
    judge(await this.#send(this.#post("init/error") + buildErrorFields(error), JSON.stringify(error)));
  }

  close(): void {
    this.#connection.close();
  }

  #post(path: string): string {
    return `POST /2018-06-01/runtime/${path}${this.#host}`;
  }

  #answerHead({ requestId, invocationId }: InvocationKey, kind: "response" | "error"): string {
    const head = this.#post(`invocation/${requestId}/${kind}`);
    return invocationId === undefined ? head : `${head}Lambda-Runtime-Invocation-Id: ${invocationId}\r\n`;
  }

  #send(head: string, body: string): Promise<WireResponse> {
    // A small body goes out in one write with its head; a large one must not be encoded more than once.
    const content = body.length < smallBodyLength ? body : Buffer.from(body);
    return this.#connection.request(`${head}Content-Length: ${Buffer.byteLength(content)}\r\n\r\n`, content);
  }
}

/**
 * A 500 means that the process can't go on; any other refusal is about this one result.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
function judge({ status, body }: WireResponse): Delivery {
  if (status >= 500) throw new RuntimeApiError(`the Runtime API answered ${status}: ${body.text()}`);
  if (status === 413) return "tooLarge";
  return status < 300 ? "accepted" : "refused";
}

function buildErrorFields(error: RuntimeError): string {
  const type = buildErrorTypeHeader(error);
  return `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${type}\r\n`;
}

async function writeChunk(body: BodyWriter, bytes: Uint8Array): Promise<void> {
  // An empty chunk would end the body.
  if (bytes.length === 0) return;
  const size = `${bytes.length.toString(16)}\r\n`;
  await body.write(Buffer.concat([Buffer.from(size), bytes, Buffer.from("\r\n")]));
}

function buildErrorTrailers(error: RuntimeError): string {
  const body = Buffer.from(JSON.stringify(error)).toString("base64");
  return `${errorTypeTrailer}: ${buildErrorTypeHeader(error)}\r\n${errorBodyTrailer}: ${body}\r\n`;
}
