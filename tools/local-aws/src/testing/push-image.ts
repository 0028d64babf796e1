import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { pack } from "tar-stream";
import type { TestServer } from "./test-server.ts";

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";

export interface LayerFile {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
  readonly type?: "file" | "directory" | "symlink" | "link";
  readonly linkname?: string;
}

export interface ImageProps {
  readonly layers: readonly (readonly LayerFile[])[];
  /** @default "amd64" */
  readonly architecture?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface Registry {
  readonly headers: { readonly authorization: string };
  /** Makes a repository; gives its name. */
  createRepository(name: string): Promise<string>;
  pushBlob(repository: string, content: Buffer): Promise<{ digest: string; size: number }>;
  pushManifest(repository: string, reference: string, manifest: object, type?: string): Promise<Response>;
  /** Pushes an image with its layers. Gives its digest. */
  pushImage(repository: string, tag: string, props: ImageProps): Promise<string>;
}

/** The registry of a test server, by its HTTP interface alone. */
export async function openRegistry(server: TestServer): Promise<Registry> {
  const ecr = new ECRClient(server.clientConfig);
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const headers = { authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` };

  const registry: Registry = {
    headers,
    async createRepository(repositoryName) {
      await ecr.send(new CreateRepositoryCommand({ repositoryName }));
      return repositoryName;
    },
    async pushBlob(repository, content) {
      const digest = sha256(content);
      const url = `${server.endpoint}/v2/${repository}/blobs/uploads/?digest=${digest}`;
      await mustBe(201, await fetch(url, { method: "POST", headers, body: new Uint8Array(content) }));
      return { digest, size: content.length };
    },
    pushManifest: (repository, reference, manifest, type = ociManifest) =>
      fetch(`${server.endpoint}/v2/${repository}/manifests/${reference}`, {
        method: "PUT",
        headers: { ...headers, "content-type": type },
        body: JSON.stringify(manifest),
      }),
    async pushImage(repository, tag, { layers, architecture = "amd64", config = {} }) {
      const pushed = [];
      for (const files of layers) {
        const layer = await registry.pushBlob(repository, gzipSync(await tar(files)));
        pushed.push({ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" });
      }
      const configuration = { architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [] } };
      const blob = await registry.pushBlob(repository, Buffer.from(JSON.stringify(configuration)));
      const manifest = {
        schemaVersion: 2,
        mediaType: ociManifest,
        config: { ...blob, mediaType: "application/vnd.oci.image.config.v1+json" },
        layers: pushed,
      };
      const response = await mustBe(201, await registry.pushManifest(repository, tag, manifest));
      return response.headers.get("docker-content-digest") ?? "";
    },
  };
  return registry;
}

export function sha256(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

async function mustBe(status: number, response: Response): Promise<Response> {
  if (response.status === status) return response;
  throw new Error(`${response.status} instead of ${status}: ${await response.text()}`);
}

async function tar(files: readonly LayerFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, content = "", mode = 0o644, type = "file", linkname } of files) {
    archive.entry({ name, mode, type, ...(linkname !== undefined && { linkname }) }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
