/** What goes to the client of a function URL. */
export interface UrlAnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

export interface UrlAnswer extends UrlAnswerHead {
  readonly body: Buffer;
}

interface Structured {
  readonly statusCode?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly cookies?: readonly string[];
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

export const streamedContentType = "application/vnd.awslambda.http-integration-response";

/** Between the head of a streamed answer and its body. */
const separator = Buffer.alloc(8);

/** What a client gets when the function's answer can't be one. */
export const badGateway: UrlAnswer = {
  statusCode: 502,
  headers: { "content-type": "application/json" },
  body: Buffer.from("Internal Server Error"),
};

/** Those of the connection are the server's own. */
const connectionHeaders = new Set(["connection", "content-length", "keep-alive", "transfer-encoding"]);

/**
 * An object with a status code says itself what the answer is; all else is the body of a 200, as JSON.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
 */
export function parseUrlAnswer(payload: Buffer): UrlAnswer {
  const answer = parseJson(payload);
  if (typeof answer !== "object" || answer === null || !("statusCode" in answer)) {
    return { statusCode: 200, headers: { "content-type": "application/json" }, body: payload };
  }
  const { body, isBase64Encoded = false } = answer as Structured;
  const head = parseHead(answer);
  if (head === undefined) return badGateway;
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  return { ...head, body: Buffer.from(text, isBase64Encoded ? "base64" : "utf8") };
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @returns undefined where the status is none */
function parseHead({ statusCode = 200, headers = {}, cookies = [] }: Structured): UrlAnswerHead | undefined {
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const kept = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    .filter(([name]) => !connectionHeaders.has(name));
  return {
    statusCode: status,
    headers: {
      "content-type": "application/json",
      ...Object.fromEntries(kept),
      ...(cookies.length > 0 && { "set-cookie": [...cookies] }),
    },
  };
}

/**
 * Splits a streamed answer: a head as JSON, eight zero bytes, the body. One that does not begin so is a body.
 * @returns undefined as long as the head is not whole
 */
export function splitStream(received: Buffer): { head: UrlAnswerHead; rest: Buffer } | undefined {
  const plain = { statusCode: 200, headers: { "content-type": "application/octet-stream" } };
  if (received.length === 0) return undefined;
  if (received[0] !== 0x7b) return { head: plain, rest: received };
  const at = received.indexOf(separator);
  if (at < 0) return undefined;
  const head = parseHead((parseJson(received.subarray(0, at)) ?? {}) as Structured) ?? badGateway;
  return { head, rest: received.subarray(at + separator.length) };
}
