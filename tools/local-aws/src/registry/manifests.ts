import { readBody } from "../body.ts";
import type { Images } from "../ecr/images.ts";
import { type Target, writeError, writeUnsupported } from "./answers.ts";

/** Manifests by tag and by digest. ECR deletes them through its API only. */
export async function answerManifest(target: Target, images: Images): Promise<void> {
  const { request, response, repositoryName, reference } = target;
  if (request.method === "PUT") return putManifest(target, images);
  if (request.method !== "GET" && request.method !== "HEAD") return writeUnsupported(target);
  const image = images.findImage(repositoryName, reference);
  if (image === undefined) {
    return writeError(response, 404, "MANIFEST_UNKNOWN", `Requested image not found: ${reference}`);
  }
  const content = images.readManifest(repositoryName, image.digest);
  response.writeHead(200, {
    "content-type": image.mediaType,
    "content-length": content.length,
    "docker-content-digest": image.digest,
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

async function putManifest({ request, response, repositoryName, reference }: Target, images: Images) {
  const { digest, subject } = images.putManifest({
    repositoryName,
    content: await readBody(request),
    mediaType: request.headers["content-type"],
    ...(reference.includes(":") ? { digest: reference } : { tag: reference }),
  });
  response.writeHead(201, {
    location: `/v2/${repositoryName}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject !== undefined && { "oci-subject": subject }),
  });
  response.end();
}

export function answerTags({ response, url, repositoryName }: Target, images: Images): void {
  const last = url.searchParams.get("last") ?? "";
  const limit = Number(url.searchParams.get("n") ?? Number.POSITIVE_INFINITY);
  const all = [...images.listTags(repositoryName).keys()].filter((tag) => tag > last);
  const tags = all.slice(0, limit);
  const next = `/v2/${repositoryName}/tags/list?n=${limit}&last=${tags.at(-1)}`;
  response.writeHead(200, {
    "content-type": "application/json",
    ...(tags.length > 0 && tags.length < all.length && { link: `<${next}>; rel="next"` }),
  });
  response.end(JSON.stringify({ name: repositoryName, tags }));
}

/** What says something about a manifest. An unknown manifest has an empty list. */
export function answerReferrers({ response, url, repositoryName, reference }: Target, images: Images): void {
  const wanted = url.searchParams.get("artifactType");
  const manifests = images
    .listImages(repositoryName)
    .filter(
      ({ subject, artifactType }) => subject === reference && (wanted === null || wanted === artifactType),
    )
    .map(({ digest, mediaType, artifactType, annotations }) => ({
      mediaType,
      digest,
      size: images.blobs.sizeOf(repositoryName, digest),
      artifactType,
      annotations,
    }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  response.writeHead(200, {
    "content-type": mediaType,
    ...(wanted !== null && { "oci-filters-applied": "artifactType" }),
  });
  response.end(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
}
