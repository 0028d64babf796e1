import { CodedError } from "@workspace/shared-config";

export type Variables = (name: string) => string | undefined;

/** Splits at white space outside quotes; quotes and escapes stay as they are. */
export function splitQuotedWords(text: string, escapeCharacter: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quote === "" && /\s/.test(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += character;
    if (character === escapeCharacter && quote !== "'") {
      at += 1;
      word += text[at] ?? "";
    } else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = "";
  }
  return word === "" ? words : [...words, word];
}

/**
 * Removes quotes and escapes, and puts in the values of `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}` and
 * `${NAME:?word}`, with or without the colon. A variable that isn't set is empty.
 *
 * @throws CodedError `E_DOCKERFILE_SUBSTITUTION`
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(word: string, variables: Variables, escapeCharacter: string): string {
  return expandUntil({ text: word, at: 0 }, "", variables, escapeCharacter);
}

interface Reader {
  readonly text: string;
  at: number;
}

/** Reads as far as the end, or the closing character outside quotes, which it leaves to be read. */
function expandUntil(reader: Reader, closing: string, variables: Variables, escapeCharacter: string): string {
  let result = "";
  while (reader.at < reader.text.length) {
    const character = reader.text[reader.at] ?? "";
    if (character === closing) return result;
    if (character === "'") result += readSingleQuoted(reader);
    else if (character === '"') result += readDoubleQuoted(reader, variables, escapeCharacter);
    else if (character === "$") result += readVariable(reader, variables, escapeCharacter);
    else if (character === escapeCharacter) {
      result += reader.text[reader.at + 1] ?? "";
      reader.at += 2;
    } else {
      result += character;
      reader.at += 1;
    }
  }
  if (closing !== "") throw failedSubstitution(reader.text, `it lacks ${closing}`);
  return result;
}

function readSingleQuoted(reader: Reader): string {
  const end = reader.text.indexOf("'", reader.at + 1);
  if (end < 0) throw failedSubstitution(reader.text, "it lacks a closing '");
  const content = reader.text.slice(reader.at + 1, end);
  reader.at = end + 1;
  return content;
}

function readDoubleQuoted(reader: Reader, variables: Variables, escapeCharacter: string): string {
  let result = "";
  reader.at += 1;
  while (reader.at < reader.text.length) {
    const character = reader.text[reader.at] ?? "";
    const next = reader.text[reader.at + 1] ?? "";
    if (character === '"') {
      reader.at += 1;
      return result;
    }
    if (character === "$") result += readVariable(reader, variables, escapeCharacter);
    else if (character === escapeCharacter && ['"', "$", escapeCharacter].includes(next)) {
      result += next;
      reader.at += 2;
    } else {
      result += character;
      reader.at += 1;
    }
  }
  throw failedSubstitution(reader.text, 'it lacks a closing "');
}

function readVariable(reader: Reader, variables: Variables, escapeCharacter: string): string {
  const rest = reader.text.slice(reader.at);
  const plain = /^\$(\w+)/.exec(rest);
  if (plain !== null) {
    reader.at += plain[0].length;
    return variables(plain[1] ?? "") ?? "";
  }
  if (!rest.startsWith("${")) {
    reader.at += 1;
    return "$";
  }
  const braced = /^\$\{(\w+)(\}|:?[-+?])/.exec(rest);
  if (braced === null) throw failedSubstitution(reader.text, "this form of substitution is not supported");
  const [opening, name = "", operator = ""] = braced;
  reader.at += opening.length;
  const value = variables(name);
  if (operator === "}") return value ?? "";
  const word = expandUntil(reader, "}", variables, escapeCharacter);
  reader.at += 1;
  const isSet = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  if (operator.endsWith("+")) return isSet ? word : "";
  if (isSet) return value ?? "";
  if (operator.endsWith("?")) throw failedSubstitution(reader.text, `${name}: ${word || "is not set"}`);
  return word;
}

function failedSubstitution(word: string, what: string): CodedError {
  return new CodedError({
    code: "E_DOCKERFILE_SUBSTITUTION",
    what: `the word can't be expanded: ${what}`,
    value: word,
    remedy: "Correct it, or give the variable a value with --build-arg.",
  });
}
