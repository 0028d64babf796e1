import type { RuntimeError } from "./runtime-error.ts";

export interface Invocation {
  readonly requestId: string;
  readonly deadlineMs: number;
  readonly functionArn: string;
  readonly traceId: string | undefined;
  readonly clientContext: string | undefined;
  readonly identity: string | undefined;
  readonly event: string;
}

/** The Runtime API. @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export interface RuntimeClient {
  next(): Promise<Invocation>;
  respond(requestId: string, body: string): Promise<void>;
  fail(requestId: string, error: RuntimeError): Promise<void>;
  failInit(error: RuntimeError): Promise<void>;
}

/** @param address host and port, as in `AWS_LAMBDA_RUNTIME_API` */
export function createRuntimeClient(address: string): RuntimeClient {
  const base = `http://${address}/2018-06-01/runtime`;

  async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<void> {
    const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
    const response = await fetch(base + path, init);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`the Runtime API answered ${response.status} to ${path}`);
  }

  return {
    async next() {
      // An environment waits here for as long as it is kept; the default limit of fetch would end it.
      const response = await fetch(`${base}/invocation/next`, { timeout: false } as RequestInit);
      const event = await response.text();
      if (!response.ok) throw new Error(`the Runtime API answered ${response.status} to /invocation/next`);
      const { headers } = response;
      return {
        requestId: headers.get("lambda-runtime-aws-request-id") ?? "",
        deadlineMs: Number(headers.get("lambda-runtime-deadline-ms")),
        functionArn: headers.get("lambda-runtime-invoked-function-arn") ?? "",
        traceId: headers.get("lambda-runtime-trace-id") ?? undefined,
        clientContext: headers.get("lambda-runtime-client-context") ?? undefined,
        identity: headers.get("lambda-runtime-cognito-identity") ?? undefined,
        event,
      };
    },
    respond: (requestId, body) => post(`/invocation/${requestId}/response`, body),
    fail: (requestId, error) => post(`/invocation/${requestId}/error`, JSON.stringify(error), typed(error)),
    failInit: (error) => post("/init/error", JSON.stringify(error), typed(error)),
  };
}

function typed({ errorType }: RuntimeError): Record<string, string> {
  return { "lambda-runtime-function-error-type": `Function.${errorType}` };
}
