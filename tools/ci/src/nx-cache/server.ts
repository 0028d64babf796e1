import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const entryPath = /^\/v1\/cache\/([\w-]+)$/;

/**
 * Nx's remote cache on a folder, by https://nx.dev/docs/kb/self-hosted-caching. Nx's own cache is of no use
 * on a machine that is new each time: its database is named after the machine's id, so a restored
 * `.nx/cache` is "unrecognized artifacts". https://github.com/nrwl/nx/issues/28914
 *
 * @param directory one file for each entry, named by the task's hash
 * @param token what a request must bear: other processes of the machine can reach the port
 */
export function createCacheServer(directory: string, token: string): Server {
  return createServer((request, response) => {
    answer(directory, token, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

async function answer(
  directory: string,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number) => response.writeHead(status, { connection: "close" }).end();
  if (request.headers.authorization !== `Bearer ${token}`) return void end(401);
  const hash = entryPath.exec(request.url ?? "")?.[1];
  if (hash === undefined) return void end(404);
  const file = join(directory, hash);
  const size = await findSize(file);

  if (request.method === "GET") {
    if (size === undefined) return void end(404);
    // Used is as good as new: `removeStale` goes by this time.
    await utimes(file, new Date(), new Date());
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size });
    return pipeline(createReadStream(file), response);
  }
  if (request.method === "PUT") {
    // An entry is never written over: the one that is there was made from the same inputs.
    if (size !== undefined) return void end(409);
    const partial = `${file}.${crypto.randomUUID()}.partial`;
    await pipeline(request, createWriteStream(partial)).catch(async (error: unknown) => {
      await rm(partial, { force: true });
      throw error;
    });
    await rename(partial, file);
    return void end(200);
  }
  end(405);
}

async function findSize(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes the folder, and takes out what nobody has used for a while, so that it doesn't grow for ever. */
export async function removeStale(directory: string, olderThanMs: number, nowMs: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    if (nowMs - (await stat(file)).mtimeMs > olderThanMs) await rm(file, { force: true });
  }
}
