/**
 * A runtime as a script that is its own executable, with `handler` as the body of `async (event, context) => …`.
 * `context` has `headers` of the invocation; `stream(chunks, { type, trailers })` answers piece by piece.
 */
export function buildRuntimeScript(handler: string, init = ""): string {
  return `#!${process.execPath}
const { request } = require("node:http");
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const call = (method, path, body, headers = {}, trailers) => new Promise(async (resolve, reject) => {
  const sent = request({ host, port, method, path: "/2018-06-01/runtime/" + path, headers }, async (response) => {
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() });
  }).on("error", reject);
  if (typeof body === "object") for await (const chunk of body) sent.write(chunk);
  else if (body !== undefined) sent.write(body);
  if (trailers !== undefined) sent.addTrailers(trailers);
  sent.end();
});
const failure = (error) => JSON.stringify({ errorType: error.name, errorMessage: error.message, stackTrace: [] });
(async () => {
  try { ${init} } catch (error) {
    await call("POST", "init/error", failure(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, text } = await call("GET", "invocation/next");
    const path = "invocation/" + headers["lambda-runtime-aws-request-id"] + "/";
    let streamed = false;
    const stream = (chunks, { type = "application/octet-stream", trailers } = {}) => {
      streamed = true;
      const names = trailers === undefined ? {} : { trailer: Object.keys(trailers).join(", ") };
      const head = { "content-type": type, "lambda-runtime-function-response-mode": "streaming" };
      return call("POST", path + "response", chunks, { ...head, ...names, "transfer-encoding": "chunked" }, trailers);
    };
    try {
      const result = await (async (event, context) => { ${handler} })(JSON.parse(text), { headers, stream });
      if (!streamed) {
        const answer = await call("POST", path + "response", JSON.stringify(result) ?? "null", { "content-type": "application/json" });
        if (answer.status === 413) console.log("refused: " + answer.text);
      }
    } catch (error) {
      await call("POST", path + "error", failure(error));
    }
  }
})();
`;
}
