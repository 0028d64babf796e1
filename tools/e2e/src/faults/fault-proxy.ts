import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buildErrorAnswer, type CallName, parseCallName } from "./call-name.ts";

/**
 * What goes wrong at a call: refused before it is carried out; the connection cut after it was; throttled, for as
 * often as the same call is tried in a row; or the command killed after it was carried out, before it hears so.
 */
export type FaultKind = "error" | "cut" | "throttle" | "kill";
export const faultKinds: readonly FaultKind[] = ["error", "cut", "throttle", "kill"];

/** One call of a run: however fast its polls are, it is the same call in the next run. */
export interface CallAt {
  /** @see CallName.name */
  readonly name: string;
  /** Which of the run's calls of that name, from 0. */
  readonly occurrence: number;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly at: CallAt;
  /** Ends the command, for `kill`. */
  readonly kill: () => void;
}

/** Stands between a command and the endpoint, names every call that goes by, and makes one of them fail. */
export interface FaultProxy {
  /** What the command finds in `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** Starts counting from 0 again. */
  arm(fault: Fault | undefined): void;
  /** The calls since it was armed, in order of arrival. */
  calls(): readonly CallName[];
  /** Whether the fault has been tried since it was armed. */
  fired(): boolean;
  close(): Promise<void>;
}

/** @param upstream the endpoint that carries the calls out: `http://127.0.0.1:4566` */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const target = new URL(upstream);
  let fault: Fault | undefined;
  let calls: CallName[] = [];
  /** Index of the call that the fault was tried at. */
  let firedAt: number | undefined;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const call = parseCallName(request.method ?? "", request.url ?? "", request.headers, body);
    const kind = chooseKind(call);
    calls.push(call);
    if (kind === "error" || kind === "throttle") {
      const { status, headers, body: text } = buildErrorAnswer(call.protocol, kind);
      response.writeHead(status, headers).end(text);
      return;
    }
    const { status, headers, body: answered } = await forward(request, body);
    if (kind === "kill") fault?.kill();
    if (kind !== undefined) {
      response.destroy();
      return;
    }
    response.writeHead(status, headers).end(answered);
  }

  /** @param call the newest, which is not among `calls` yet */
  function chooseKind({ name }: CallName): FaultKind | undefined {
    if (fault === undefined) return undefined;
    if (firedAt === undefined) {
      const occurrence = calls.filter((earlier) => earlier.name === name).length;
      if (name !== fault.at.name || occurrence !== fault.at.occurrence) return undefined;
      firedAt = calls.length;
      return fault.kind;
    }
    const inARow = calls.slice(firedAt).every((earlier) => earlier.name === name);
    return fault.kind === "throttle" && inARow ? "throttle" : undefined;
  }

  /** The registry's address is part of what the endpoint says; the command must reach it through here too. */
  async function forward(request: IncomingMessage, body: Buffer) {
    const upstreamRequest = httpRequest({
      host: target.hostname,
      port: target.port,
      method: request.method,
      path: request.url,
      headers: rename({ ...request.headers, "content-length": undefined }, own, target.host),
    });
    const isText = /json|form-urlencoded/.test(request.headers["content-type"] ?? "");
    upstreamRequest.end(isText && !isManifest(request) ? renameText(body, own, target.host) : body);
    const [answer] = (await once(upstreamRequest, "response")) as [IncomingMessage];
    const answered = await readAll(answer);
    const isTextAnswer = /json|xml|text/.test(answer.headers["content-type"] ?? "") && !isManifest(request);
    const headers = rename(answer.headers, target.host, own);
    if (!isTextAnswer) return { status: answer.statusCode ?? 502, headers, body: answered };
    const renamed = renameText(answered, target.host, own);
    if (request.method !== "HEAD") headers["content-length"] = String(renamed.length);
    delete headers["transfer-encoding"];
    return { status: answer.statusCode ?? 502, headers, body: renamed };
  }

  return {
    endpoint: `http://${own}`,
    arm(next) {
      fault = next;
      calls = [];
      firedAt = undefined;
    },
    calls: () => calls,
    fired: () => firedAt !== undefined,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Manifests are content: their digest must stay. */
function isManifest(request: IncomingMessage): boolean {
  return request.url?.includes("/manifests/") === true;
}

function rename(
  headers: IncomingMessage["headers"] & NodeJS.Dict<string | string[]>,
  from: string,
  to: string,
) {
  const renamed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === "connection") continue;
    renamed[name] = typeof value === "string" ? value.replaceAll(from, to) : value;
  }
  return renamed;
}

function renameText(body: Buffer, from: string, to: string): Buffer {
  const text = body.toString("utf8");
  return Buffer.from(text.replaceAll(from, to).replaceAll(encodeURIComponent(from), encodeURIComponent(to)));
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
