import { WireFormatError } from "./wire-format-error.ts";

/** Where the parts of a field are in their text. */
interface FieldBounds {
  readonly start: number;
  readonly colon: number;
  readonly end: number;
}

/**
 * The header fields of a response, found in its text when they are asked for: of ten that Lambda sends, each answer
 * needs a few. Of a field that is repeated the first one counts.
 */
export class HeaderFields {
  readonly #head: string;
  readonly #fields: FieldBounds[] = [];

  /** @param head status line and fields, each with the line break after it. @throws WireFormatError */
  constructor(head: string) {
    this.#head = head;
    let start = head.indexOf("\n") + 1;
    while (start < head.length) {
      const colon = head.indexOf(":", start);
      const end = head.indexOf("\r", start);
      const lineFeed = head.indexOf("\n", start);
      if (colon <= start || colon > end || lineFeed !== end + 1)
        throw new WireFormatError(`not headers: ${JSON.stringify(head.slice(start))}`);
      this.#fields.push({ start, colon, end });
      start = lineFeed + 1;
    }
  }

  get(name: Lowercase<string>): string | undefined {
    for (const { start, colon, end } of this.#fields)
      if (colon - start === name.length && this.#isNamed(name, start)) return this.#trim(colon + 1, end);
    return undefined;
  }

  /** By character: a field's name in lower case would be a string that is made for nothing else. */
  #isNamed(name: Lowercase<string>, start: number): boolean {
    for (let at = 0; at < name.length; at += 1)
      if (toLowerCase(this.#head.charCodeAt(start + at)) !== name.charCodeAt(at)) return false;
    return true;
  }

  #trim(start: number, end: number): string {
    const head = this.#head;
    let first = start;
    let last = end - 1;
    while (first <= last && isBlank(head.charCodeAt(first))) first += 1;
    while (first <= last && isBlank(head.charCodeAt(last))) last -= 1;
    return head.slice(first, last + 1);
  }
}

function toLowerCase(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
