import { authorize, type Challenge, parseChallenge } from "./authorization.ts";
import type { Credentials } from "./docker-config.ts";
import { readBody } from "./read-body.ts";
import { buildRefusal, TransientFailure } from "./registry-error.ts";

/** A request to a registry. */
export interface Exchange {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** A path of the registry, or the address that one of its answers gave. */
  readonly location: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each time that the request is sent. */
  readonly body?: () => NonNullable<RequestInit["body"]>;
  readonly repository: string;
  readonly access: "pull" | "pull,push";
  /** What is asked for, for messages. */
  readonly action: string;
  /** All others are refusals. */
  readonly expected: readonly number[];
}

export interface ExchangerProps {
  /** `docker.io`, `127.0.0.1:5000` */
  readonly host: string;
  readonly findCredentials: () => Promise<Credentials | undefined>;
}

/**
 * Sends requests to one registry, with the authorization that it asks for.
 *
 * @throws TransientFailure for lost connections and answers that pass; CodedErrors of `buildRefusal`
 */
export type Exchanger = (exchange: Exchange) => Promise<Response>;

const maximalRedirects = 5;

export function createExchanger({ host, findCredentials }: ExchangerProps): Exchanger {
  const origin = originOf(host);
  const authorizations = new Map<string, string>();
  let credentials: Promise<Credentials | undefined> | undefined;

  async function renewAuthorization(challenge: Challenge, scope: string): Promise<string | undefined> {
    credentials ??= findCredentials();
    const scopes = scope === "" ? [] : [scope];
    const authorization = await authorize({ host, challenge, credentials: await credentials, scopes });
    if (authorization !== undefined) authorizations.set(scope, authorization);
    return authorization;
  }

  return async (exchange) => {
    const { repository, access, expected, action } = exchange;
    const scope = repository === "" ? "" : `repository:${repository}:${access}`;
    const address = new URL(exchange.location, origin);
    let response = await send(exchange, address, authorizations.get(scope), origin);
    if (response.status === 401 && address.origin === origin) {
      const challenge = parseChallenge(response.headers.get("www-authenticate"));
      const authorization = challenge && (await renewAuthorization(challenge, scope));
      if (authorization !== undefined) {
        await response.body?.cancel();
        response = await send(exchange, address, authorization, origin);
      }
    }
    if (expected.includes(response.status)) return response;
    const body = Buffer.from(await readBody(response, action)).toString();
    const { status } = response;
    if (status === 408 || status === 429 || status >= 500) {
      throw new TransientFailure(`${host} answered ${status}`, retryAfter(response));
    }
    const loggedIn = (await credentials) !== undefined;
    throw buildRefusal({ host, repository, action, status, body, loggedIn });
  };
}

/** Follows redirects itself: the authorization goes to the registry alone, not to the storage behind it. */
async function send(
  { method, headers, body }: Exchange,
  address: URL,
  authorization: string | undefined,
  origin: string,
): Promise<Response> {
  let url = address;
  for (let redirects = 0; ; redirects += 1) {
    const isRegistry = url.origin === origin;
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(isRegistry && authorization !== undefined && { authorization }) },
      redirect: "manual",
      ...(body !== undefined && { body: body(), duplex: "half" }),
    }).catch((cause: unknown) => {
      throw new TransientFailure(`no answer from ${url.host}: ${describe(cause)}`, { cause });
    });
    const location = response.headers.get("location");
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && location !== null;
    if (!isRedirect || body !== undefined || redirects === maximalRedirects) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
}

/** Plain HTTP for registries on this machine, as docker does, and HTTPS for all others. */
function originOf(host: string): string {
  const name = host.replace(/:\d+$/, "");
  const isLoopback = name === "localhost" || name === "[::1]" || /^127(\.\d+){3}$/.test(name);
  const realHost = host === "docker.io" ? "registry-1.docker.io" : host;
  return new URL(`${isLoopback ? "http" : "https"}://${realHost}`).origin;
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {};
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}
