import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CodedError } from "@workspace/shared-config";
import { isFileError } from "../files/file-error.ts";
import { isObject } from "../image/manifest.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * What docker keeps in `config.json` about registries, in its own form, so that both can use it.
 *
 * @see https://docs.docker.com/reference/cli/docker/login/
 */
export interface DockerConfig {
  /** @throws CodedError `E_DOCKER_CONFIG_MALFORMED`, `E_CREDENTIAL_HELPER_FAILED` */
  findCredentials(registry: string): Promise<Credentials | undefined>;
  /** @throws CodedError `E_DOCKER_CONFIG_MALFORMED`, `E_DOCKER_CONFIG_LOCKED`, `E_CREDENTIAL_HELPER_FAILED` */
  storeCredentials(registry: string, credentials: Credentials): Promise<void>;
}

/** Longer than the 10 s after which the lock of a process that was killed is taken over. */
const lockRetries = { retries: 200, factor: 1, minTimeout: 50, maxTimeout: 100, randomize: true };

export function openDockerConfig(directory: string): DockerConfig {
  const path = join(directory, "config.json");

  function read(): Record<string, unknown> {
    try {
      const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
      if (isObject(parsed)) return parsed;
    } catch (cause) {
      if (isFileError(cause, "ENOENT")) return {};
      if (!(cause instanceof SyntaxError)) throw cause;
    }
    throw new CodedError({
      code: "E_DOCKER_CONFIG_MALFORMED",
      what: "docker's configuration is not a JSON object",
      value: path,
      remedy: "Correct the file or move it away; DOCKER_CONFIG names another folder for it.",
    });
  }

  /** One process at a time: of two that log in at once, the later one would write what the earlier one had not. */
  async function change(edit: (config: Record<string, unknown>) => object): Promise<void> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const unlock = await lockFile(path);
    try {
      const aside = `${path}.${process.pid}`;
      writeFileSync(aside, `${JSON.stringify(edit(read()), null, 2)}\n`, { mode: 0o600 });
      renameSync(aside, path);
    } finally {
      await unlock();
    }
  }

  return {
    async findCredentials(registry) {
      const config = read();
      const helper = findHelper(config, registry);
      if (helper !== undefined) return getFromHelper(helper, keyOf(registry));
      const { auths } = config;
      if (!isObject(auths)) return undefined;
      const entry = [registry, keyOf(registry), `https://${registry}`, `https://${registry}/`]
        .map((key) => auths[key])
        .find(isObject);
      return typeof entry?.auth === "string" && entry.auth !== "" ? decodeAuth(entry.auth, path) : undefined;
    },

    async storeCredentials(registry, { username, password }) {
      const helper = findHelper(read(), registry);
      if (helper !== undefined) {
        const entry = { ServerURL: keyOf(registry), Username: username, Secret: password };
        await runHelper(helper, "store", JSON.stringify(entry));
        return;
      }
      const auth = Buffer.from(`${username}:${password}`).toString("base64");
      await change((config) => {
        const auths = { ...(isObject(config.auths) && config.auths), [keyOf(registry)]: { auth } };
        return { ...config, auths };
      });
    },
  };
}

/** @returns what gives the lock back */
async function lockFile(path: string): Promise<() => Promise<void>> {
  const { lock } = await import("proper-lockfile");
  try {
    return await lock(path, { realpath: false, retries: lockRetries });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ELOCKED")) throw cause;
    throw new CodedError({
      code: "E_DOCKER_CONFIG_LOCKED",
      what: "another login has held docker's configuration for more than ten seconds",
      value: path,
      remedy: "Log in again when it has ended.",
      cause,
    });
  }
}

/** Docker Hub goes by an address of its own. */
function keyOf(registry: string): string {
  return registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
}

function findHelper(
  { credHelpers, credsStore }: Record<string, unknown>,
  registry: string,
): string | undefined {
  const own = isObject(credHelpers) ? (credHelpers[registry] ?? credHelpers[keyOf(registry)]) : undefined;
  return [own, credsStore].find((name): name is string => typeof name === "string" && name !== "");
}

function decodeAuth(auth: string, path: string): Credentials {
  const decoded = Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon < 0) {
    throw new CodedError({
      code: "E_DOCKER_CONFIG_MALFORMED",
      what: "an entry under auths is not base64 of USERNAME:PASSWORD",
      value: path,
      remedy: "Log in again.",
    });
  }
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** @see https://github.com/docker/docker-credential-helpers#development */
async function getFromHelper(helper: string, key: string): Promise<Credentials | undefined> {
  const answer = await runHelper(helper, "get", key);
  if (answer === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(answer);
    if (isObject(parsed) && typeof parsed.Username === "string" && typeof parsed.Secret === "string") {
      return { username: parsed.Username, password: parsed.Secret };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw helperFailed(helper, "it answered without Username and Secret");
}

/** @returns undefined where the helper knows nothing of the registry */
async function runHelper(helper: string, verb: "get" | "store", input: string): Promise<string | undefined> {
  const child = spawn(`docker-credential-${helper}`, [verb], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause) => reject(helperFailed(helper, "it can't be started", cause)));
    child.on("close", resolve);
  });
  child.stdin.on("error", () => {}); // A helper that ends without reading says so by its exit code.
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return stdout;
  const said = `${stdout}${stderr}`.trim();
  if (said.includes("credentials not found")) return undefined;
  throw helperFailed(helper, said);
}

function helperFailed(helper: string, what: string, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_CREDENTIAL_HELPER_FAILED",
    what: `the credential helper docker-credential-${helper} failed: ${what}`,
    remedy: "Install it or set it right, or remove it from docker's config.json.",
    cause,
  });
}
