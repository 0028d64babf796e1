/** The headers of a response, with its cookies apart: they can't be joined. */
export interface ResponseHead {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
}

/** To be called before the body is read: Bun forgets then which type a Blob, a file or a form had brought along. */
export function readHead({ headers }: Response): ResponseHead {
  return {
    headers: Object.fromEntries([...headers].filter(([name]) => name !== "set-cookie")),
    cookies: headers.getSetCookie(),
  };
}

/**
 * The headers with a type for the body where they have none: Bun doesn't show the one that a string has by the Fetch
 * standard, and without one a function URL says `application/json`.
 *
 * @see https://fetch.spec.whatwg.org/#concept-bodyinit-extract
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
export function addContentType(headers: ResponseHead["headers"], isText: boolean): ResponseHead["headers"] {
  if ("content-type" in headers) return headers;
  return { ...headers, "content-type": isText ? "text/plain;charset=utf-8" : "application/octet-stream" };
}
