import { WireFormatError } from "./wire-format-error.ts";

const wellFormed = /^(?:\r\n[^:\r\n]+:[^\r\n]*)*$/;
const beyondAscii = /[^\0-\x7f]/;

/** A field's name in the form in which it is looked up: made once, since that costs more than the lookup. */
export type FieldKey = `\r\n${string}:`;

export function buildFieldKey(name: string): FieldKey {
  return `\r\n${name.toLowerCase()}:`;
}

/**
 * The header fields of a response, found in their text when they are asked for: of ten that Lambda sends, each answer
 * needs a few. Of a field that is repeated the first one counts.
 */
export class HeaderFields {
  readonly #text: string;
  readonly #lowerCase: string;

  /** @param text each field after a line break, with a character for each byte. @throws WireFormatError */
  constructor(text: string) {
    if (!wellFormed.test(text)) throw new WireFormatError(`not headers: ${JSON.stringify(text)}`);
    this.#text = text;
    this.#lowerCase = text.toLowerCase();
  }

  get(key: FieldKey): string | undefined {
    const found = this.#lowerCase.indexOf(key);
    if (found < 0) return undefined;
    let start = found + key.length;
    let end = this.#text.indexOf("\r\n", start);
    if (end < 0) end = this.#text.length;
    while (start < end && isBlank(this.#text.charCodeAt(start))) start += 1;
    while (start < end && isBlank(this.#text.charCodeAt(end - 1))) end -= 1;
    const value = this.#text.slice(start, end);
    return beyondAscii.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
