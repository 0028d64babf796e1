import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the server took. */
export interface TakenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

export interface GitHubFixture {
  readonly apiUrl: string;
  readonly requests: TakenRequest[];
  /** Answers the requests from now on; by `METHOD /path`, the query string left out. */
  answers: Record<string, (query: URLSearchParams) => { status?: number; body: unknown }>;
  close(): Promise<void>;
}

/** Stands in for GitHub's API, which can't be had on loopback: a real server, with answers from the test. */
export async function openGitHubFixture(): Promise<GitHubFixture> {
  const fixture: Pick<GitHubFixture, "requests" | "answers"> = { requests: [], answers: {} };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const text = (await request.toArray()).join("");
    const { method = "", headers } = request;
    fixture.requests.push({
      method,
      path: url.pathname,
      authorization: headers.authorization ?? "",
      body: text === "" ? undefined : JSON.parse(text),
    });
    const answer = fixture.answers[`${method} ${url.pathname}`]?.(url.searchParams);
    response.writeHead(answer ? (answer.status ?? 200) : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer?.body ?? { message: "Not Found" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return Object.assign(fixture, {
    apiUrl: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}
