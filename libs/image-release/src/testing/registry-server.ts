import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../registry/digest.ts";
import type { RegistryLogin } from "../registry/registry-login.ts";

export interface RegistryServer {
  readonly login: RegistryLogin;
  /** By digest. */
  readonly blobs: Map<string, Buffer>;
  /** By digest and by tag. */
  readonly manifests: Map<string, { readonly mediaType: string; readonly content: Buffer }>;
  /** `PUT /v2/app/manifests/tag`, in order. */
  readonly requests: string[];
  /** What the storage behind the registry was asked with; ECR's is S3. */
  readonly storageAuthorizations: (string | undefined)[];
  close(): Promise<void>;
}

/** A registry of one repository in memory that answers as ECR does: Basic authorization, blobs by redirect. */
export async function startRegistryServer(): Promise<RegistryServer> {
  const password = "secret";
  const blobs: RegistryServer["blobs"] = new Map();
  const manifests: RegistryServer["manifests"] = new Map();
  const uploads = new Map<string, Buffer>();
  const requests: string[] = [];
  const storageAuthorizations: RegistryServer["storageAuthorizations"] = [];

  const answer = (response: ServerResponse, status: number, headers = {}, body?: Buffer | string) =>
    response.writeHead(status, headers).end(body);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    const reference = pathname.split("/").at(-1) ?? "";
    const body = await readBody(request);
    if (pathname.startsWith("/storage/")) {
      storageAuthorizations.push(request.headers.authorization);
      return void answer(response, 200, {}, blobs.get(reference));
    }
    requests.push(`${request.method} ${pathname}`);
    const expected = `Basic ${Buffer.from(`AWS:${password}`).toString("base64")}`;
    if (request.headers.authorization !== expected) return void answer(response, 401, {}, "no basic auth");

    switch (`${request.method} ${pathname.split("/").at(-2)}`) {
      case "GET manifests": {
        const found = manifests.get(reference);
        if (found === undefined) return void answer(response, 404, {}, "MANIFEST_UNKNOWN");
        return void answer(response, 200, { "content-type": found.mediaType }, found.content);
      }
      case "PUT manifests": {
        const mediaType = request.headers["content-type"] ?? "";
        for (const key of [reference, digestOf(body)]) manifests.set(key, { mediaType, content: body });
        return void answer(response, 201);
      }
      case "GET referrers": {
        const found = [...manifests].flatMap(([digest, { mediaType, content }]) => {
          const { subject, artifactType } = JSON.parse(content.toString());
          return subject?.digest === reference
            ? [{ mediaType, digest, size: content.length, artifactType }]
            : [];
        });
        return void answer(response, 200, {}, JSON.stringify({ manifests: found }));
      }
      case "HEAD blobs":
        return void answer(response, blobs.has(reference) ? 200 : 404);
      case "GET blobs":
        return void answer(response, 307, { location: `/storage/${reference}` });
      case "POST uploads":
        uploads.set(String(uploads.size), Buffer.alloc(0));
        return void answer(response, 202, { location: `/v2/app/uploads/${uploads.size - 1}` });
      case "PATCH uploads":
        uploads.set(reference, Buffer.concat([uploads.get(reference) ?? Buffer.alloc(0), body]));
        return void answer(response, 202, { location: pathname });
      case "PUT uploads": {
        const content = uploads.get(reference) ?? Buffer.alloc(0);
        const digest = searchParams.get("digest") ?? "";
        if (digestOf(content) !== digest) return void answer(response, 400, {}, "DIGEST_INVALID");
        blobs.set(digest, content);
        return void answer(response, 201);
      }
      default:
        return void answer(response, 404, {}, `no route: ${request.method} ${pathname}`);
    }
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    login: { endpoint: `http://127.0.0.1:${port}`, username: "AWS", password },
    blobs,
    manifests,
    requests,
    storageAuthorizations,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
