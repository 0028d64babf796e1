import { CodedError } from "@workspace/shared-config";
import { isObject } from "../image/manifest.ts";
import type { Credentials } from "./docker-config.ts";
import { readBody } from "./read-body.ts";
import { loginRefused, TransientFailure } from "./registry-error.ts";

/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service?: string };

/** @returns undefined for a scheme that is not known here */
export function parseChallenge(header: string | null): Challenge | undefined {
  const [, scheme = "", rest = ""] = /^\s*(\w+)\s*(.*)$/.exec(header ?? "") ?? [];
  if (scheme.toLowerCase() === "basic") return { scheme: "basic" };
  const parameters = new Map(
    [...rest.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
  const realm = parameters.get("realm");
  if (scheme.toLowerCase() !== "bearer" || realm === undefined) return undefined;
  const service = parameters.get("service");
  return { scheme: "bearer", realm, ...(service !== undefined && { service }) };
}

export interface AuthorizeProps {
  readonly host: string;
  readonly challenge: Challenge;
  readonly credentials: Credentials | undefined;
  /** `repository:team/app:pull,push` */
  readonly scopes: readonly string[];
}

/**
 * The value of the `Authorization` header, or undefined where the registry wants a password and there is none.
 *
 * @throws CodedError `E_REGISTRY_LOGIN_REFUSED`, `E_REGISTRY_REFUSED`; TransientFailure
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function authorize(props: AuthorizeProps): Promise<string | undefined> {
  const { host, challenge, credentials, scopes } = props;
  const basic = credentials && `Basic ${encodeBasic(credentials)}`;
  if (challenge.scheme === "basic") return basic;
  const url = new URL(challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const response = await fetch(url, basic === undefined ? {} : { headers: { authorization: basic } }).catch(
    (cause: unknown) => {
      throw new TransientFailure(`${url.host} can't be reached`, { cause });
    },
  );
  const text = Buffer.from(await readBody(response, "the login")).toString();
  if (response.status === 429 || response.status >= 500) {
    throw new TransientFailure(`${url.host} answered ${response.status}`);
  }
  if (response.status === 401 || response.status === 403) throw loginRefused(host, text.slice(0, 200));
  const answer: unknown = response.ok ? JSON.parse(text) : undefined;
  const token = isObject(answer) ? (answer.token ?? answer.access_token) : undefined;
  if (typeof token === "string") return `Bearer ${token}`;
  throw new CodedError({
    code: "E_REGISTRY_REFUSED",
    what: `${url.host} gave no token for ${host}`,
    value: `${response.status} ${text.slice(0, 200)}`,
    remedy: "See what it says.",
  });
}

function encodeBasic({ username, password }: Credentials): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}
