import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdirSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { readBody } from "./body.ts";
import { openFileStore } from "./file-store.ts";
import { findLambdaOperation } from "./protocols/lambda-rest.ts";
import { buildQueryAnswer, buildQueryError, parseQueryInput } from "./protocols/query.ts";
import {
  type Caller,
  type Service,
  type ServiceContext,
  ServiceException,
  type ServiceName,
  serviceNames,
} from "./service.ts";

export const accountId = "000000000000";

export interface ServerProps {
  /** The folder of the state; made where it does not exist. */
  readonly stateDirectory: string;
  readonly port: number;
  readonly region: string;
  /** A file that gets a JSON line for every call. @default none */
  readonly recordFile?: string;
  readonly log: (line: string) => void;
}

export interface Server {
  readonly endpoint: string;
  /** Whether a stack operation or function update is under way. */
  readonly busy: () => boolean;
  /** Serves paths that belong to no service. */
  readonly onOwnPath: (
    prefix: string,
    handle: (request: IncomingMessage, response: ServerResponse) => void,
  ) => void;
  stop(): Promise<void>;
}

/** What a call looks like in the record. */
export interface RecordedCall {
  readonly service: string;
  readonly operation: string;
  readonly input: object;
  readonly accessKeyId: string;
  /** Who that key stands for: a role's session, once it was assumed. */
  readonly callerArn: string;
  readonly errorCode?: string;
}

export async function startServer(props: ServerProps): Promise<Server> {
  const endpoint = `http://127.0.0.1:${props.port}`;
  const underWay = new Set<Promise<unknown>>();
  const services = new Map<ServiceName, Service>();
  const ownPaths = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();

  const context = (name: ServiceName): ServiceContext => {
    const directory = join(props.stateDirectory, name);
    mkdirSync(directory, { recursive: true });
    return {
      accountId,
      region: props.region,
      endpoint,
      store: openFileStore(directory),
      now: Date.now,
      call: async <O>(service: ServiceName, operation: string, input: object) =>
        (await perform(service, operation, input, { accessKeyId: `service:${name}` })) as O,
      keepAlive(work) {
        const settled = work.catch((error) => props.log(`${name}: ${String(error?.stack ?? error)}`));
        underWay.add(settled);
        void settled.then(() => underWay.delete(settled));
      },
      log: (line) => props.log(`${name}: ${line}`),
    };
  };

  async function perform(service: string, operation: string, input: object, caller: Caller): Promise<object> {
    const known = services.get(parseServiceName(service))?.operations[operation];
    if (known === undefined) {
      throw new ServiceException(
        "UnknownOperationException",
        `local-aws: ${service} has no ${operation}`,
        501,
      );
    }
    return structuredClone(await known(structuredClone(input), caller));
  }

  async function record(call: Omit<RecordedCall, "callerArn">): Promise<void> {
    if (call.errorCode !== undefined) props.log(`${call.service} ${call.operation}: ${call.errorCode}`);
    if (props.recordFile === undefined) return;
    const { Arn } = (await perform("sts", "GetCallerIdentity", {}, call)) as { Arn: string };
    const recorded: RecordedCall = { ...call, input: shorten(call.input), callerArn: Arn };
    appendFileSync(props.recordFile, `${JSON.stringify(recorded)}\n`);
  }

  async function performRecorded(
    service: string,
    operation: string,
    input: object,
    { accessKeyId }: Caller,
  ): Promise<object> {
    const call = { service, operation, input, accessKeyId };
    try {
      const output = await perform(service, operation, input, { accessKeyId });
      await record(call);
      return output;
    } catch (error) {
      const exception = asException(error, props.log);
      await record({ ...call, errorCode: exception.name });
      throw exception;
    }
  }

  async function answerOperation(
    service: string,
    operation: string,
    input: object,
    caller: Caller,
    write: (output: object | ServiceException, requestId: string) => void,
  ): Promise<void> {
    const output = await performRecorded(service, operation, input, caller).catch((error) =>
      asException(error, props.log),
    );
    write(output, randomUUID());
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseForeignHost(request, props.log);
    const url = new URL(request.url ?? "/", endpoint);
    for (const [prefix, own] of ownPaths) if (url.pathname.startsWith(prefix)) return own(request, response);
    for (const service of services.values()) {
      for (const [prefix, route] of Object.entries(service.routes ?? {})) {
        if (url.pathname.startsWith(prefix)) return route(request, response, url);
      }
    }
    const { service, accessKeyId } = parseSignature(request);
    if (service === "s3") return handleS3(request, response, url, { accessKeyId });
    const body = await readBody(request);
    const target = request.headers["x-amz-target"];
    if (typeof target === "string") {
      const json = body.length === 0 ? {} : JSON.parse(body.toString());
      const operation = target.split(".").at(-1) ?? "";
      return answerOperation(service, operation, json, { accessKeyId }, (output, requestId) =>
        writeJson(response, output, requestId, "application/x-amz-json-1.1"),
      );
    }
    if (service === "lambda") {
      const { operation, input, status } = findLambdaOperation(request, url, body);
      return answerOperation("lambda", operation, input, { accessKeyId }, (output, requestId) =>
        writeLambda(response, output, requestId, status),
      );
    }
    const form = new URLSearchParams(body.toString());
    const operation = form.get("Action") ?? url.searchParams.get("Action");
    if (operation === null)
      throw new ServiceException("MissingAction", `local-aws: ${request.method} ${url.pathname}`, 400);
    const input = parseQueryInput(form);
    return answerOperation(service, operation, input, { accessKeyId }, (output, requestId) => {
      const failed = output instanceof ServiceException;
      const xml = failed
        ? buildQueryError(output, requestId)
        : buildQueryAnswer(operation, output, requestId);
      response.writeHead(failed ? output.httpStatus : 200, { "content-type": "text/xml" }).end(xml);
    });
  }

  async function handleS3(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    caller: Caller,
  ): Promise<void> {
    const { answerS3 } = await import("./protocols/s3-rest.ts");
    await answerS3(request, response, url, (operation, input) =>
      performRecorded("s3", operation, input, caller),
    );
  }

  for (const name of serviceNames) services.set(name, await loadService(name, context(name)));

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      const { httpStatus, name, message } = asException(error, props.log);
      if (!response.headersSent) response.writeHead(httpStatus, { "content-type": "application/json" });
      response.end(JSON.stringify({ __type: name, message }));
    });
  });
  // The deployment provider's proxy asks for a tunnel first, and goes on in plain HTTP when it is refused.
  server.on("connect", (_request, socket) =>
    socket.end("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"),
  );
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  server.listen(props.port, "127.0.0.1");
  await once(server, "listening");
  for (const service of services.values()) service.resume?.();

  return {
    endpoint,
    busy: () => underWay.size > 0,
    onOwnPath: (prefix, own) => void ownPaths.set(prefix, own),
    async stop() {
      for (const service of services.values()) await service.stop?.();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function loadService(name: ServiceName, context: ServiceContext): Promise<Service> {
  const { createService } = (await import(`./${name}/index.ts`)) as {
    createService: (context: ServiceContext) => Service;
  };
  return createService(context);
}

/** Names that nobody can point at this machine but it itself, and AWS, for which clients have it as their proxy. */
const ownHosts =
  /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost|[a-z0-9.-]+\.amazonaws\.com)(?::\d+)?$/i;

/**
 * A web page whose own host name leads here would be of this server's origin, and could do all that its user can.
 * @see https://en.wikipedia.org/wiki/DNS_rebinding
 */
function refuseForeignHost({ headers, method, url }: IncomingMessage, log: (line: string) => void): void {
  const { host = "" } = headers;
  if (ownHosts.test(host)) return;
  const message = `local-aws: ${method} ${url} came under the host name "${host}"; call it as 127.0.0.1 or localhost`;
  log(message);
  throw new ServiceException("ForeignHostRefused", message, 403);
}

/** The service and the key of the caller, from the signature's credential scope. */
function parseSignature(request: IncomingMessage): { service: string; accessKeyId: string } {
  const scope = /Credential=([^/]+)\/[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "");
  return { accessKeyId: scope?.[1] ?? "anonymous", service: scope?.[2] ?? "s3" };
}

function parseServiceName(signingName: string): ServiceName {
  const name = signingName === "monitoring" ? "cloudwatch" : signingName;
  const known = serviceNames.find((candidate) => candidate === name);
  if (known === undefined)
    throw new ServiceException("UnknownService", `local-aws has no ${signingName}`, 501);
  return known;
}

function asException(error: unknown, log: (line: string) => void): ServiceException {
  if (error instanceof ServiceException) return error;
  log(String(error instanceof Error ? error.stack : error));
  return new ServiceException("InternalFailure", `local-aws: ${String(error)}`, 500);
}

function writeJson(response: ServerResponse, output: object, requestId: string, contentType: string): void {
  const failed = output instanceof ServiceException;
  const body = failed ? { __type: output.name, message: output.message, ...output.members } : output;
  response.writeHead(failed ? output.httpStatus : 200, {
    "content-type": contentType,
    "x-amzn-requestid": requestId,
  });
  response.end(JSON.stringify(body, withEpochSeconds));
}

/** Lambda's own conventions: the error's name is a header, an invocation's payload is the body. */
function writeLambda(response: ServerResponse, output: object, requestId: string, status: number): void {
  if (output instanceof ServiceException) {
    const headers = {
      "content-type": "application/json",
      "x-amzn-errortype": output.name,
      "x-amzn-requestid": requestId,
    };
    const body = { Type: "User", Message: output.message, message: output.message, ...output.members };
    response.writeHead(output.httpStatus, headers).end(JSON.stringify(body));
    return;
  }
  if ("Payload" in output && "ExecutedVersion" in output) {
    const { Payload, StatusCode, FunctionError, LogResult, ExecutedVersion } = output as Record<
      string,
      string
    >;
    response.writeHead(Number(StatusCode), {
      "content-type": "application/json",
      "x-amzn-requestid": requestId,
      "x-amz-executed-version": String(ExecutedVersion),
      ...(FunctionError && { "x-amz-function-error": FunctionError }),
      ...(LogResult && { "x-amz-log-result": LogResult }),
    });
    response.end(Payload);
    return;
  }
  response.writeHead(status, { "content-type": "application/json", "x-amzn-requestid": requestId });
  response.end(status === 204 ? undefined : JSON.stringify(output));
}

/** The JSON protocols have times as seconds since the epoch. */
function withEpochSeconds(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const original = this[name];
  return original instanceof Date ? original.getTime() / 1000 : value;
}

/** What identifies a resource is never long, and never bytes. */
function shorten(input: object): object {
  const short = Object.entries(input).filter(([, value]) => !ArrayBuffer.isView(value));
  const text = JSON.stringify(Object.fromEntries(short), (_, value) =>
    typeof value === "string" && value.length > 500 ? `${value.slice(0, 500)}…` : value,
  );
  return JSON.parse(text);
}
