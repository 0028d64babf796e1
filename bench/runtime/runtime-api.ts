const head = /^(\w+) \S*\/(\S+) HTTP\/1\.1\r\n/;
const separator = Buffer.from("\r\n\r\n");
const accepted = Buffer.from(
  'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n',
);

interface PeerState {
  pending: Buffer;
  /** Bytes of a request's body that are still to come; undefined between requests. */
  missing: number | undefined;
  chunked: boolean;
  unsent: Buffer | undefined;
}

type Peer = Bun.Socket<PeerState>;

/**
 * A Runtime API with as little of its own cost as can be: it looks for the end of each request and for nothing else.
 * A cycle is measured here: from the event's leaving to the next request for one.
 */
export class RuntimeApi {
  readonly #listener: Bun.TCPSocketListener<PeerState>;
  #onNext: () => void = () => {};
  /** The connection that asked last: a client may use several in turn. */
  #asking: Peer | undefined;

  constructor() {
    this.#listener = Bun.listen<PeerState>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (peer) => {
          peer.data = { pending: Buffer.alloc(0), missing: undefined, chunked: false, unsent: undefined };
        },
        data: (peer, data) => this.#receive(peer, data),
        drain: (peer) => {
          const { unsent } = peer.data;
          peer.data.unsent = undefined;
          if (unsent !== undefined) send(peer, unsent);
        },
        error: () => {},
      },
    });
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  stop(): void {
    this.#listener.stop(true);
  }

  /** Resolves in the very moment in which a request for work is here. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNext = resolve;
    });
  }

  /** Hands out the event again and again. @returns how long each cycle took, in microseconds */
  async cycles(body: Buffer, count: number): Promise<Float64Array> {
    const fields = [
      "HTTP/1.1 200 OK",
      "Content-Type: application/json",
      "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd",
      `Lambda-Runtime-Deadline-Ms: ${Date.now() + 900_000}`,
      "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:bench",
      "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
      `Content-Length: ${body.length}`,
      "\r\n",
    ];
    const response = Buffer.concat([Buffer.from(fields.join("\r\n")), body]);
    const times = new Float64Array(count);
    for (let n = 0; n < count; n += 1) {
      const answered = this.next();
      const start = Bun.nanoseconds();
      if (this.#asking !== undefined) send(this.#asking, response);
      await answered;
      times[n] = (Bun.nanoseconds() - start) / 1000;
    }
    return times;
  }

  #receive(peer: Peer, data: Buffer): void {
    const state = peer.data;
    for (let rest = state.pending.length === 0 ? data : Buffer.concat([state.pending, data]); ; ) {
      if (state.chunked) {
        if (!rest.subarray(-5).equals(lastChunk)) {
          state.pending = rest.subarray(-4);
          return;
        }
        state.chunked = false;
        state.pending = Buffer.alloc(0);
        send(peer, accepted);
        return;
      }
      if (state.missing !== undefined) {
        if (rest.length < state.missing) {
          state.missing -= rest.length;
          state.pending = Buffer.alloc(0);
          return;
        }
        rest = rest.subarray(state.missing);
        state.missing = undefined;
        send(peer, accepted);
      }
      const end = rest.indexOf(separator);
      state.pending = rest;
      if (end < 0) return;
      const text = rest.toString("latin1", 0, end + 2);
      rest = rest.subarray(end + 4);
      state.pending = Buffer.alloc(0);
      if (head.exec(text)?.[2] === "next") {
        this.#asking = peer;
        this.#onNext();
        return;
      }
      if (/\r\nexpect: 100/i.test(text)) send(peer, Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
      state.chunked = /\r\ntransfer-encoding: chunked/i.test(text);
      state.missing = state.chunked ? undefined : Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    }
  }
}

const lastChunk = Buffer.from("0\r\n\r\n");

function send(peer: Peer, bytes: Buffer): void {
  const sent = peer.write(bytes);
  if (sent < bytes.length) peer.data.unsent = bytes.subarray(Math.max(0, sent));
}
