import { Body } from "./body.ts";
import { HeaderFields } from "./header-fields.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** An answer as it came over the wire. */
export interface WireResponse {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: Body;
  /** Whether the connection may carry another request. */
  readonly keepAlive: boolean;
}

/** Client context and Cognito identity come as headers, so the limit is far above the usual 16 KiB. */
const maxHeadBytes = 1024 * 1024;
const headEnd = new Uint8Array([13, 10, 13, 10]);
const lineBreakLength = 2;
/** `HTTP/1.1 200 OK` */
const statusLine = /^HTTP\/1\.[01] \d{3}(?: [^\r\n]*)?\r\n/;

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
  #rest: Buffer | undefined;
  #status = 0;
  #headers!: HeaderFields;
  #keepAlive = true;
  #body = new Body();
  /** Bytes still missing of the body, or of the chunk. */
  #missing = 0;

  constructor(onResponse: (response: WireResponse) => void) {
    this.#onResponse = onResponse;
  }

  /** Whether the connection is between two responses, with nothing of the next one here. */
  get idle(): boolean {
    return this.#state === "head" && this.#rest === undefined;
  }

  /** The piece is kept where a body goes on in the next one: it must not change afterwards. @throws WireFormatError */
  push(piece: Buffer): void {
    const data = this.#rest === undefined ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = undefined;
    for (let at = 0; at < data.length; ) {
      const end = this.#take(data, at);
      if (end === undefined) {
        this.#rest = data.subarray(at);
        return;
      }
      at = end;
    }
  }

  /** The server has closed the connection. @throws WireFormatError in the middle of a response */
  end(): void {
    if (this.#state === "untilClose") this.#finish(false);
    else if (!this.idle) throw new WireFormatError("the connection was closed in the middle of a response");
  }

  /** @returns where what was used ends; undefined when more must come first */
  #take(data: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case "head":
        return this.#takeHead(data, at);
      case "fixedBody":
      case "chunkData":
        return this.#takeBody(data, at);
      case "untilClose":
        this.#body.add(data, at, data.length);
        return data.length;
      case "chunkSize":
        return this.#takeLine(data, at, (line) => this.#startChunk(line));
      case "chunkEnd":
        return this.#takeLine(data, at, (line) => {
          if (line !== "")
            throw new WireFormatError(`a chunk is longer than its size: ${JSON.stringify(line)}`);
          this.#state = "chunkSize";
        });
      case "trailers":
        return this.#takeLine(data, at, (line) => {
          if (line === "") this.#finish(this.#keepAlive);
        });
    }
  }

  #takeHead(data: Buffer, at: number): number | undefined {
    const end = data.indexOf(headEnd, at);
    if (end < 0) {
      if (data.length - at > maxHeadBytes)
        throw new WireFormatError(`more than ${maxHeadBytes} bytes of headers`);
      return undefined;
    }
    this.#startResponse(data.toString("utf8", at, end + lineBreakLength));
    return end + headEnd.length;
  }

  #startResponse(head: string): void {
    if (!statusLine.test(head))
      throw new WireFormatError(`not a status line: ${JSON.stringify(head.slice(0, 80))}`);
    const status = Number(head.slice(9, 12));
    const headers = new HeaderFields(head);
    // An interim response, such as 100 Continue, says nothing about the request.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const connection = headers.get("connection")?.toLowerCase();
    this.#keepAlive = head.startsWith("HTTP/1.1") ? connection !== "close" : connection === "keep-alive";
    if (status === 204 || status === 304) {
      this.#finish(this.#keepAlive);
    } else if (headers.get("transfer-encoding")?.toLowerCase().endsWith("chunked")) {
      this.#state = "chunkSize";
    } else {
      this.#startBody(headers.get("content-length"));
    }
  }

  #startBody(length: string | undefined): void {
    if (length === undefined) {
      this.#state = "untilClose";
      return;
    }
    this.#missing = parseSize(length, 10);
    if (this.#missing === 0) this.#finish(this.#keepAlive);
    else this.#state = "fixedBody";
  }

  #startChunk(line: string): void {
    const [size = ""] = line.split(";", 1);
    this.#missing = parseSize(size.trim(), 16);
    this.#state = this.#missing === 0 ? "trailers" : "chunkData";
  }

  #takeBody(data: Buffer, at: number): number {
    const end = Math.min(at + this.#missing, data.length);
    this.#body.add(data, at, end);
    this.#missing -= end - at;
    if (this.#missing === 0) {
      if (this.#state === "chunkData") this.#state = "chunkEnd";
      else this.#finish(this.#keepAlive);
    }
    return end;
  }

  #takeLine(data: Buffer, at: number, use: (line: string) => void): number | undefined {
    const end = data.indexOf("\r\n", at);
    if (end < 0) {
      if (data.length - at > maxHeadBytes) throw new WireFormatError("a line without an end");
      return undefined;
    }
    use(data.toString("latin1", at, end));
    return end + lineBreakLength;
  }

  #finish(keepAlive: boolean): void {
    const response = { status: this.#status, headers: this.#headers, body: this.#body, keepAlive };
    this.#state = "head";
    this.#body = new Body();
    this.#onResponse(response);
  }
}

function parseSize(text: string, radix: 10 | 16): number {
  const valid = radix === 10 ? /^\d{1,15}$/ : /^[\da-f]{1,12}$/i;
  if (!valid.test(text)) throw new WireFormatError(`not a size: ${JSON.stringify(text)}`);
  return Number.parseInt(text, radix);
}
