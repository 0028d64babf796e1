import { describe, expect, it } from "vitest";
import { badGateway, parseUrlAnswer, splitStream } from "./url-answer.ts";

const parse = (answer: unknown) => {
  const { body, ...head } = parseUrlAnswer(Buffer.from(JSON.stringify(answer)));
  return { ...head, body: body.toString() };
};

describe("parseUrlAnswer", () => {
  it.each([["text"], [{ a: 1 }], [[1]], [null]])("takes %j, which has no status, as the body", (answer) => {
    expect(parse(answer)).toEqual({
      statusCode: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(answer),
    });
  });

  it("takes status, headers, cookies and body", () => {
    expect(
      parse({
        statusCode: 201,
        headers: { "X-A": 1, "Content-Type": "text/plain", "Content-Length": "999" },
        cookies: ["a=1", "b=2"],
        body: "é",
      }),
    ).toEqual({
      statusCode: 201,
      headers: { "x-a": "1", "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] },
      body: "é",
    });
  });

  it("takes bytes in base64", () => {
    const { body } = parseUrlAnswer(
      Buffer.from(JSON.stringify({ statusCode: 200, body: "AP8=", isBase64Encoded: true })),
    );
    expect(body).toEqual(Buffer.from([0, 255]));
  });

  it.each([["x"], [99], [700], [200.5], [null]])("refuses the status %j", (statusCode) => {
    expect(parseUrlAnswer(Buffer.from(JSON.stringify({ statusCode })))).toBe(badGateway);
  });
});

describe("splitStream", () => {
  const separator = "\0".repeat(8);
  const whole = Buffer.from(`{"statusCode":202,"cookies":["a=1"]}${separator}body`);

  it("waits until the head is whole, wherever the pieces end", () => {
    const headLength = whole.length - "body".length;
    for (let length = 0; length < headLength; length += 1) {
      expect(splitStream(whole.subarray(0, length))).toBeUndefined();
    }
    for (let length = headLength; length <= whole.length; length += 1) {
      expect(splitStream(whole.subarray(0, length))).toMatchObject({
        head: { statusCode: 202, headers: { "set-cookie": ["a=1"] } },
        rest: whole.subarray(headLength, length),
      });
    }
  });

  it("takes all else as a body", () => {
    expect(splitStream(Buffer.from("plain"))).toMatchObject({
      head: { statusCode: 200, headers: { "content-type": "application/octet-stream" } },
      rest: Buffer.from("plain"),
    });
  });
});
