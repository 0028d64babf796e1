import { createHash } from "node:crypto";
import { CreateRepositoryCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { FunctionOnStage } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { type Digest, findRepositoryUri } from "../images/images.ts";

const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

export interface PushedImage {
  /** As an image's configuration has it: `amd64` */
  readonly architecture: string;
  readonly tag: string;
  /** Whether the tag names an index with the image in it. @default false */
  readonly isIndex?: boolean;
  /** Images that differ in nothing else differ in this. @default "" */
  readonly author?: string;
}

/** Pushes an image without layers, as any registry client does, and makes the repository first. */
export async function pushImage(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { architecture, tag, isIndex = false, author = "" }: PushedImage,
): Promise<Digest> {
  if ((await findRepositoryUri(clients, fn)) === undefined) {
    await clients.ecr.send(new CreateRepositoryCommand({ repositoryName: fn.repositoryName }));
  }
  const { authorizationData } = await clients.ecr.send(new GetAuthorizationTokenCommand({}));
  const { authorizationToken = "", proxyEndpoint = "" } = authorizationData?.[0] ?? {};
  const registry = `${proxyEndpoint}/v2/${fn.repositoryName}`;
  const authorization = `Basic ${authorizationToken}`;
  const put = async (url: string | URL, body: string, more = {}) => {
    const { status } = await fetch(url, { method: "PUT", headers: { authorization, ...more }, body });
    if (status !== 201) throw new Error(`${url} was answered with ${status}`);
  };
  const putManifest = async (type: string, content: object, reference?: string) => {
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: type, ...content });
    const digest = digestOf(manifest);
    await put(`${registry}/manifests/${reference ?? digest}`, manifest, { "content-type": type });
    return { digest, size: manifest.length, mediaType: type };
  };

  const rootfs = { type: "layers", diff_ids: [] };
  const config = JSON.stringify({ architecture, os: "linux", author, rootfs });
  const started = await fetch(`${registry}/blobs/uploads/`, { method: "POST", headers: { authorization } });
  const upload = new URL(started.headers.get("location") ?? "", proxyEndpoint);
  upload.searchParams.set("digest", digestOf(config));
  await put(upload, config);
  const blob = { digest: digestOf(config), size: config.length };
  const image = await putManifest(
    imageType,
    { config: { ...blob, mediaType: "application/vnd.oci.image.config.v1+json" }, layers: [] },
    isIndex ? undefined : tag,
  );
  return isIndex ? (await putManifest(indexType, { manifests: [image] }, tag)).digest : image.digest;
}

function digestOf(text: string): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
