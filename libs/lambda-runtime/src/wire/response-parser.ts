/** An answer as it came over the wire. Header names are in lower case; of repeated headers the last one counts. */
export interface WireResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether the connection may carry another request. */
  readonly keepAlive: boolean;
}

/** The server sent something that is not HTTP/1.1. The connection that it came over is of no further use. */
export class WireFormatError extends Error {
  override readonly name = "WireFormatError";
}

/** Client context and Cognito identity come as headers, so the limit is far above the usual 16 KiB. */
const maxHeadBytes = 1024 * 1024;
const headEnd = Buffer.from("\r\n\r\n");
const noBody = Buffer.alloc(0);

type State = "head" | "fixedBody" | "untilClose" | "chunkSize" | "chunkData" | "chunkEnd" | "trailers";

/**
 * Takes the bytes of a connection in whatever pieces they come, and gives whole responses.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112.html
 */
export class ResponseParser {
  readonly #onResponse: (response: WireResponse) => void;
  #state: State = "head";
  /** What has come and isn't used yet; only where one piece did not end with a whole element. */
  #rest: Buffer = noBody;
  #status = 0;
  #headers: Map<string, string> = new Map();
  #keepAlive = true;
  #body: Buffer[] = [];
  /** Bytes still missing of the body, or of the chunk. */
  #missing = 0;

  constructor(onResponse: (response: WireResponse) => void) {
    this.#onResponse = onResponse;
  }

  /** Whether the connection is between two responses, with nothing of the next one here. */
  get idle(): boolean {
    return this.#state === "head" && this.#rest.length === 0;
  }

  /** The piece is kept where a body goes on in the next one: it must not change afterwards. @throws WireFormatError */
  push(piece: Buffer): void {
    let data = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = noBody;
    for (;;) {
      const used = this.#take(data);
      if (used === undefined) {
        this.#rest = data;
        return;
      }
      data = data.subarray(used);
      if (data.length === 0 && this.#state !== "fixedBody" && this.#state !== "chunkData") return;
    }
  }

  /** The server has closed the connection. @throws WireFormatError in the middle of a response */
  end(): void {
    if (this.#state === "untilClose") this.#finish(false);
    else if (!this.idle) throw new WireFormatError("the connection was closed in the middle of a response");
  }

  /** @returns how many bytes were used; undefined when more must come first */
  #take(data: Buffer): number | undefined {
    switch (this.#state) {
      case "head":
        return this.#takeHead(data);
      case "fixedBody":
      case "chunkData":
        return this.#takeBody(data);
      case "untilClose":
        this.#body.push(data);
        return data.length;
      case "chunkSize":
        return this.#takeLine(data, (line) => this.#startChunk(line));
      case "chunkEnd":
        return this.#takeLine(data, (line) => {
          if (line !== "")
            throw new WireFormatError(`a chunk is longer than its size: ${JSON.stringify(line)}`);
          this.#state = "chunkSize";
        });
      case "trailers":
        return this.#takeLine(data, (line) => {
          if (line === "") this.#finish(this.#keepAlive);
        });
    }
  }

  #takeHead(data: Buffer): number | undefined {
    const end = data.indexOf(headEnd);
    if (end < 0) {
      if (data.length > maxHeadBytes) throw new WireFormatError(`more than ${maxHeadBytes} bytes of headers`);
      return undefined;
    }
    this.#startResponse(data.toString("utf8", 0, end));
    return end + headEnd.length;
  }

  #startResponse(head: string): void {
    const [statusLine = "", ...lines] = head.split("\r\n");
    const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine);
    if (match === null) throw new WireFormatError(`not a status line: ${JSON.stringify(statusLine)}`);
    const status = Number(match[2]);
    const headers = parseHeaders(lines);
    // An interim response, such as 100 Continue, says nothing about the request.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const connection = headers.get("connection")?.toLowerCase();
    this.#keepAlive = match[1] === "1" ? connection !== "close" : connection === "keep-alive";
    const length = headers.get("content-length");
    if (status === 204 || status === 304) {
      this.#finish(this.#keepAlive);
    } else if (headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked")) {
      this.#state = "chunkSize";
    } else if (length === undefined) {
      this.#state = "untilClose";
    } else {
      this.#missing = parseSize(length, 10);
      this.#state = "fixedBody";
    }
  }

  #startChunk(line: string): void {
    const [size = ""] = line.split(";", 1);
    this.#missing = parseSize(size.trim(), 16);
    this.#state = this.#missing === 0 ? "trailers" : "chunkData";
  }

  #takeBody(data: Buffer): number | undefined {
    if (data.length < this.#missing) {
      if (data.length > 0) this.#body.push(data);
      this.#missing -= data.length;
      return data.length === 0 ? undefined : data.length;
    }
    const used = this.#missing;
    if (used > 0) this.#body.push(data.subarray(0, used));
    this.#missing = 0;
    if (this.#state === "chunkData") this.#state = "chunkEnd";
    else this.#finish(this.#keepAlive);
    return used;
  }

  #takeLine(data: Buffer, use: (line: string) => void): number | undefined {
    const end = data.indexOf("\r\n");
    if (end < 0) {
      if (data.length > maxHeadBytes) throw new WireFormatError("a line without an end");
      return undefined;
    }
    use(data.toString("latin1", 0, end));
    return end + 2;
  }

  #finish(keepAlive: boolean): void {
    const [first = noBody, ...others] = this.#body;
    const body = others.length === 0 ? first : Buffer.concat(this.#body);
    const response = { status: this.#status, headers: this.#headers, body, keepAlive };
    this.#state = "head";
    this.#body = [];
    this.#onResponse(response);
  }
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new WireFormatError(`not a header: ${JSON.stringify(line)}`);
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function parseSize(text: string, radix: 10 | 16): number {
  const valid = radix === 10 ? /^\d{1,15}$/ : /^[\da-f]{1,12}$/i;
  if (!valid.test(text)) throw new WireFormatError(`not a size: ${JSON.stringify(text)}`);
  return Number.parseInt(text, radix);
}
