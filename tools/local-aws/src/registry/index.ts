import type { Images } from "../ecr/images.ts";
import type { Passwords } from "../ecr/passwords.ts";
import { type Route, ServiceException } from "../service.ts";
import { type Target, writeError } from "./answers.ts";
import { answerBlob } from "./blobs.ts";
import { answerManifest, answerReferrers, answerTags } from "./manifests.ts";
import { answerUpload } from "./uploads.ts";

const pathPattern =
  /^\/v2\/(?<repositoryName>.+?)\/(?<kind>manifests|blobs\/uploads|blobs|tags|referrers)\/(?<reference>[^/]*)$/;

/** The registry's words for ECR's exceptions. */
const errorCodes: Readonly<Record<string, { readonly code: string; readonly status: number }>> = {
  RepositoryNotFoundException: { code: "NAME_UNKNOWN", status: 404 },
  ImageTagAlreadyExistsException: { code: "TAG_INVALID", status: 400 },
  LayersNotFoundException: { code: "MANIFEST_BLOB_UNKNOWN", status: 400 },
  ReferencedImagesNotFoundException: { code: "MANIFEST_BLOB_UNKNOWN", status: 400 },
  ImageDigestDoesNotMatchException: { code: "DIGEST_INVALID", status: 400 },
  InvalidParameterException: { code: "UNSUPPORTED", status: 405 },
};

/**
 * The OCI distribution API, as ECR speaks it.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export function createRegistry(images: Images, passwords: Passwords, log: (line: string) => void): Route {
  return async (request, response, url) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    const password = findPassword(request.headers.authorization, url);
    const verdict = password === undefined ? "wrong" : passwords.check(password);
    if (verdict !== "good") {
      request.resume();
      if (verdict === "expired") {
        const message = "Your authorization token has expired. Reauthenticate and try again.";
        return writeError(response, 403, "DENIED", message);
      }
      const challenge = `Basic realm="${url.origin}/",service="ecr.amazonaws.com"`;
      return writeError(response, 401, "UNAUTHORIZED", "Not Authorized", { "www-authenticate": challenge });
    }
    if (url.pathname === "/v2/") {
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
      return;
    }
    const { repositoryName, kind, reference } = pathPattern.exec(url.pathname)?.groups ?? {};
    if (repositoryName === undefined || kind === undefined || reference === undefined) {
      request.resume();
      return writeError(response, 404, "UNSUPPORTED", `local-aws: the registry has no ${url.pathname}`);
    }
    try {
      images.mustFindRepository(repositoryName);
      await answer(kind, { request, response, url, repositoryName, reference }, images);
    } catch (error) {
      if (!(error instanceof ServiceException)) throw error;
      request.resume();
      const { code, status } = errorCodes[error.name] ?? { code: "UNKNOWN", status: 500 };
      log(`registry ${request.method} ${url.pathname}: ${error.name}`);
      writeError(response, status, code, error.message);
    }
  };
}

async function answer(kind: string, target: Target, images: Images): Promise<void> {
  switch (kind) {
    case "manifests":
      return answerManifest(target, images);
    case "blobs":
      return answerBlob(target, images.blobs);
    case "blobs/uploads":
      return answerUpload(target, images.blobs);
    case "tags":
      return answerTags(target, images);
    default:
      return answerReferrers(target, images);
  }
}

/** From the user `AWS` of basic authentication, or from a download URL, which carries it. */
function findPassword(authorization: string | undefined, url: URL): string | undefined {
  const inUrl = url.searchParams.get("password");
  if (inUrl !== null) return inUrl;
  const [scheme, encoded = ""] = authorization?.split(" ") ?? [];
  const [user, password] = Buffer.from(encoded, "base64").toString().split(":");
  return scheme?.toLowerCase() === "basic" && user === "AWS" ? password : undefined;
}
