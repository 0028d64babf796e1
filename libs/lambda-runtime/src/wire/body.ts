/** The bytes of a body in the pieces that they came in: only who asks for the whole pays for it. */
export class Body {
  /** The first piece lies within a larger one: to cut it out would cost more than all else of a small answer. */
  #first: Buffer | undefined;
  #start = 0;
  #end = 0;
  readonly #others: Buffer[] = [];

  /** Adds what lies from start to end in the piece, which must not change afterwards. */
  add(piece: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.#first === undefined) {
      this.#first = piece;
      this.#start = start;
      this.#end = end;
    } else {
      this.#others.push(piece.subarray(start, end));
    }
  }

  bytes(): Buffer {
    const first = this.#first?.subarray(this.#start, this.#end) ?? Buffer.alloc(0);
    return this.#others.length === 0 ? first : Buffer.concat([first, ...this.#others]);
  }

  /** Reads it as UTF-8. */
  text(): string {
    if (this.#first === undefined) return "";
    if (this.#others.length > 0) return this.bytes().toString("utf8");
    return this.#first.toString("utf8", this.#start, this.#end);
  }
}
