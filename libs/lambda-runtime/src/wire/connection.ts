import { ResponseParser, type WireResponse } from "./response-parser.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** A connection was refused, or ended before anything of the answer to a request had come. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
}

/** Where the body of a request goes, piece by piece. */
export interface BodyWriter {
  /**
   * Resolves when the kernel has taken the bytes, so that who waits for it holds one piece at a time.
   * @throws ConnectionLostError also when the server has answered already: it wants no more of the body
   */
  write(bytes: Uint8Array): Promise<void>;
}

interface Exchange {
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;
  /** Sends the request once more, where the connection may have been closed while it was idle. */
  readonly again: (() => void) | undefined;
}

/**
 * One keep-alive connection that carries one request at a time. There is no limit on how long an answer takes: an
 * environment waits for its next invocation for as long as Lambda keeps it.
 */
export class Connection {
  readonly #hostname: string;
  readonly #port: number;
  #socket: Bun.Socket | undefined;
  #parser: ResponseParser | undefined;
  #exchange: Exchange | undefined;
  /** What the kernel has not taken yet. */
  #unsent: Uint8Array | undefined;
  #onDrained: (() => void) | undefined;

  /** @param address host and port, as in `AWS_LAMBDA_RUNTIME_API` */
  constructor(address: string) {
    // Not by URL: its first use takes as long as all else that is done here before the first request.
    const colon = address.lastIndexOf(":");
    const hasPort = colon > address.lastIndexOf("]");
    const host = hasPort ? address.slice(0, colon) : address;
    this.#hostname = host.startsWith("[") ? host.slice(1, -1) : host;
    this.#port = hasPort ? Number(address.slice(colon + 1)) : 80;
  }

  /**
   * Sends a request and waits for its answer. Where a connection that had carried a request before is found closed, it
   * is made again and the request sent once more: a server may close a connection at any time that it is idle.
   *
   * @param head request line and headers, up to and with the empty line
   * @throws ConnectionLostError, WireFormatError
   */
  request(head: string, body?: string | Uint8Array): Promise<WireResponse> {
    // No async function: an invocation goes through here twice, and each would add a promise and a turn of the queue.
    // No new Promise: Bun compiles its constructor when it is first called, which is a tenth of the engine's start.
    const { promise, resolve, reject } = Promise.withResolvers<WireResponse>();
    const onNewConnection = () => {
      this.#open().then(() => this.#send({ resolve, reject, again: undefined }, head, body), reject);
    };
    if (this.#socket === undefined) onNewConnection();
    else this.#send({ resolve, reject, again: onNewConnection }, head, body);
    return promise;
  }

  /**
   * Sends a request whose body `writeBody` writes. Where the exchange ends before the body does, nobody waits for
   * `writeBody`: it may wait for ever for what it is to write next.
   *
   * @throws ConnectionLostError, WireFormatError, and what `writeBody` throws
   */
  async stream(head: string, writeBody: (body: BodyWriter) => Promise<void>): Promise<WireResponse> {
    if (this.#socket === undefined) await this.#open();
    const { promise: answer, resolve, reject } = Promise.withResolvers<WireResponse>();
    let ended = false;
    const end = () => {
      ended = true;
    };
    const exchange = answer.then(end, end);
    this.#send({ resolve, reject, again: undefined }, head);
    const write = async (bytes: Uint8Array) => {
      if (ended) throw new ConnectionLostError("the exchange ended before the end of the request");
      this.#write(bytes);
      if (this.#unsent !== undefined) await Promise.race([this.#drained(), exchange]);
    };
    let written = false;
    const writing = writeBody({ write }).then(() => {
      written = true;
    });
    try {
      await Promise.race([writing, exchange]);
    } catch (error) {
      if (!ended) throw error;
    } finally {
      if (!written) this.close();
    }
    return answer;
  }

  close(): void {
    const socket = this.#socket;
    this.#forget();
    socket?.end();
  }

  async #open(): Promise<void> {
    this.#forget();
    const ofThis = (act: () => void) => (socket: Bun.Socket) => {
      if (socket === this.#socket) act();
    };
    const ended = ofThis(() => this.#ended());
    this.#parser = new ResponseParser((response) => this.#answered(response));
    try {
      this.#socket = await Bun.connect({
        hostname: this.#hostname,
        port: this.#port,
        socket: {
          data: (socket, data) => {
            if (socket === this.#socket) this.#receive(data);
          },
          drain: ofThis(() => this.#drain()),
          end: ended,
          close: ended,
          error: ended,
        },
      });
    } catch (cause) {
      throw new ConnectionLostError(`no connection to ${this.#hostname}:${this.#port}`, { cause });
    }
  }

  #send(exchange: Exchange, head: string, body?: string | Uint8Array): void {
    this.#exchange = exchange;
    if (body === undefined) this.#write(head);
    else if (typeof body === "string") this.#write(head + body);
    else {
      this.#write(head);
      this.#write(body);
    }
  }

  #write(data: string | Uint8Array): void {
    if (this.#unsent !== undefined) {
      this.#unsent = concatBytes(this.#unsent, data);
      return;
    }
    const sent = this.#socket?.write(data) ?? -1;
    if (sent < 0) this.#lose(new ConnectionLostError("the connection is closed"));
    else if (sent < countBytes(data)) this.#unsent = toBytes(data).subarray(sent);
  }

  #drain(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined) this.#write(unsent);
    if (this.#unsent === undefined) this.#onDrained?.();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  #receive(data: Buffer): void {
    try {
      this.#parser?.push(data);
    } catch (error) {
      this.#lose(error);
    }
  }

  #answered(response: WireResponse): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) throw new WireFormatError("an answer that nothing had asked for");
    if (!response.keepAlive) this.close();
    exchange.resolve(response);
  }

  #ended(): void {
    try {
      this.#parser?.end();
      this.#lose(new ConnectionLostError("the connection was closed before the answer"));
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    const exchange = this.#exchange;
    this.close();
    if (exchange?.again !== undefined && error instanceof ConnectionLostError) exchange.again();
    else exchange?.reject(error as Error);
  }

  #forget(): void {
    this.#socket = undefined;
    this.#parser = undefined;
    this.#exchange = undefined;
    this.#unsent = undefined;
    this.#onDrained = undefined;
  }
}

/** Apart from who calls it: what names Buffer loads it when it is first called, and the first request can go without. */
function countBytes(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

function concatBytes(first: Uint8Array, second: string | Uint8Array): Uint8Array {
  return Buffer.concat([first, toBytes(second)]);
}

function toBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data;
}
