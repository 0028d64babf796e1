import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ResponseParser, type WireResponse } from "./response-parser.ts";

const ascii = (text: string) => Buffer.from(text, "latin1");

/** Feeds the pieces, then the end of the connection. */
function parse(pieces: readonly Buffer[]): WireResponse[] {
  const responses: WireResponse[] = [];
  const parser = new ResponseParser((response) => responses.push(response));
  for (const piece of pieces) parser.push(piece);
  parser.end();
  return responses;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const points = [...new Set(at)].filter((point) => point < bytes.length).sort((a, b) => a - b);
  return [0, ...points].map((start, index) => bytes.subarray(start, points[index]));
}

interface Message {
  readonly bytes: Buffer;
  readonly expected: { status: number; headers: [string, string][]; body: string };
}

const headerName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/).map((name) => `X-${name}`);
const headerValue = fc
  .string({ unit: "grapheme", maxLength: 40 })
  .map((text) => text.replace(/[\r\n]/g, " ").trim());
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function describeMessage(
  status: number,
  extra: readonly [string, string][],
  framing: [string, string][],
  wireBody: Buffer,
  content: Buffer,
): Message {
  const headers: [string, string][] = [...extra, ...framing];
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const seen = new Map(headers.toReversed().map(([name, value]) => [name.toLowerCase(), value]));
  return {
    bytes: Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Some Reason\r\n${head}\r\n`), wireBody]),
    expected: { status, headers: [...seen], body: content.toString("hex") },
  };
}

const extraHeaders = fc.array(fc.tuple(headerName, headerValue), { maxLength: 5 });
const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);

const fixed = fc
  .tuple(status, extraHeaders, body)
  .map(([code, extra, content]) =>
    describeMessage(code, extra, [["Content-Length", String(content.length)]], content, content),
  );

const chunked = fc
  .tuple(
    status,
    extraHeaders,
    fc.array(
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.constantFrom("", ";ext=1", ' ; a="b"')),
    ),
    extraHeaders,
  )
  .map(([code, extra, chunks, trailers]) => {
    const parts = chunks.flatMap(([bytes, extension]) => [
      ascii(`${bytes.length.toString(16)}${extension}\r\n`),
      Buffer.from(bytes),
      ascii("\r\n"),
    ]);
    const end = Buffer.from(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    const content = Buffer.concat(chunks.map(([bytes]) => bytes));
    return describeMessage(
      code,
      extra,
      [["Transfer-Encoding", "chunked"]],
      Buffer.concat([...parts, end]),
      content,
    );
  });

const bodiless = fc
  .tuple(fc.constantFrom(204, 304), extraHeaders)
  .map(([code, extra]) => describeMessage(code, extra, [], Buffer.alloc(0), Buffer.alloc(0)));

const interim = fixed.map(({ bytes, expected }) => ({
  bytes: Buffer.concat([ascii("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"), bytes]),
  expected,
}));

const message = fc.oneof(fixed, chunked, bodiless, interim);

/** Responses in the form of what is expected; their fields are found by name only. */
function show(responses: readonly WireResponse[], expected: readonly Message["expected"][]) {
  return responses.map(({ status: code, headers, body: content }, index) => ({
    status: code,
    headers: expected[index]?.headers.map(([name]) => [
      name,
      headers.get(name.toLowerCase() as Lowercase<string>),
    ]),
    body: content.bytes().toString("hex"),
  }));
}

describe("the wire client", { timeout: 600_000 }, () => {
  it("reads a response cut at every byte", () => {
    const samples = [fixed, chunked, bodiless, interim].flatMap((kind) =>
      fc.sample(kind, { numRuns: 10, seed: 7 }),
    );
    let cases = 0;
    for (const { bytes, expected } of samples) {
      for (let at = 0; at <= bytes.length; at += 1) {
        expect(show(parse([bytes.subarray(0, at), bytes.subarray(at)]), [expected])).toEqual([expected]);
        cases += 1;
      }
      expect(show(parse([...bytes].map((byte) => Buffer.of(byte))), [expected])).toEqual([expected]);
    }
    expect(cases).toBeGreaterThan(5_000);
  });

  it("reads responses in random pieces, one after another", () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(2_000), { maxLength: 30 }),
        (messages, points) => {
          const bytes = Buffer.concat(messages.map((one) => one.bytes));
          const expected = messages.map((one) => one.expected);
          expect(show(parse(cut(bytes, points)), expected)).toEqual(expected);
        },
      ),
      { numRuns: 10_000, seed: 7 },
    );
  });

  it("never takes a response that was cut short for a whole one", () => {
    fc.assert(
      fc.property(
        fc.oneof(fixed, chunked),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (one, share) => {
          const length = Math.floor(one.bytes.length * share);
          fc.pre(length > 0);
          expect(() => parse([one.bytes.subarray(0, length)])).toThrow("closed in the middle");
        },
      ),
      { numRuns: 2_000, seed: 7 },
    );
  });

  it("reads until the end of the connection where nothing else says how long the body is", () => {
    const [response] = parse([ascii("HTTP/1.0 200 OK\r\n\r\nab"), ascii("c")]);
    expect(response).toMatchObject({ status: 200, keepAlive: false });
    expect(response?.body.text()).toBe("abc");
  });

  it.each([
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true],
  ])("knows from %j whether the connection stays: %j", (text, keepAlive) => {
    expect(parse([ascii(text)]).map((response) => response.keepAlive)).toEqual([keepAlive]);
  });

  it.each([
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "not a status line"],
    ["HTTP/2 200\r\n\r\n", "not a status line"],
    ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not headers"],
    ["HTTP/1.1 200 OK\r\n: no name\r\n\r\n", "not headers"],
    ["HTTP/1.1 200 OK\r\nno colon\r\nA: 1\r\n\r\n", "not headers"],
    ["HTTP/1.1 200 OK\r\nA: line\nfeed\r\n\r\n", "not headers"],
    ["HTTP/1.1 200 OK\r\nA: carriage\rreturn\r\n\r\n", "not headers"],
    ["HTTP/1.1 200 line\nfeed\r\n\r\n", "not a status line"],
    ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not a size"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "not a size"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "not a size"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "longer than its size"],
  ])("refuses %j", (text, message) => {
    expect(() => parse([ascii(text)])).toThrow(message);
  });

  it("finds no field that is only part of another one's name or value", () => {
    const [response] = parse([ascii("HTTP/1.1 204 None\r\nX-Length: Length: 7\r\nLength-X: 8\r\n\r\n")]);
    expect(response?.headers.get("length")).toBeUndefined();
  });

  it("takes the first of a repeated field, without the blanks around it, as UTF-8", () => {
    const [response] = parse([Buffer.from("HTTP/1.1 204 None\r\nA:\t bö \xa0 \r\na: 1\r\n\r\n")]);
    expect(response?.headers.get("a")).toBe("bö \xa0");
  });

  it("refuses headers without an end", () => {
    const parser = new ResponseParser(() => {});
    expect(() => {
      for (let n = 0; n < 40; n += 1) parser.push(Buffer.alloc(64 * 1024, "a"));
    }).toThrow("bytes of headers");
  });
});
