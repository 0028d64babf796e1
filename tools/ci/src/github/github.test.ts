import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitHubFixture, openGitHubFixture } from "../testing/github-fixture.ts";
import { buildGitHub, type GitHub } from "./client.ts";
import { buildBody, putComment } from "./comment.ts";
import { findLastSuccess } from "./runs.ts";

let server: GitHubFixture;
let github: GitHub;
beforeAll(async () => {
  server = await openGitHubFixture();
  github = buildGitHub({ apiUrl: server.apiUrl, repository: "acme/shop", token: "t0ken" });
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.answers = {};
});

describe("findLastSuccess", () => {
  const path = "/repos/acme/shop/actions/workflows/main.yml/runs";
  const find = () => findLastSuccess(github, { workflow: "main.yml", branch: "main" });

  it("asks for successes of the branch, as the job's token", async () => {
    server.answers[`GET ${path}`] = (query) => {
      expect(Object.fromEntries(query)).toEqual({ branch: "main", status: "success", per_page: "100" });
      return { body: { workflow_runs: [] } };
    };
    expect(await find()).toBeUndefined();
    expect(server.requests).toMatchObject([{ authorization: "Bearer t0ken" }]);
  });

  it("takes the newest by number, whatever the order", async () => {
    const runs = [
      { head_sha: "old, re-run just now", run_number: 7 },
      { head_sha: "newest", run_number: 9 },
      { head_sha: "between", run_number: 8 },
    ];
    server.answers[`GET ${path}`] = () => ({ body: { workflow_runs: runs } });
    expect(await find()).toBe("newest");
  });

  it("takes a refusal for a failure, never for a first run", async () => {
    server.answers[`GET ${path}`] = () => ({ status: 403, body: { message: "Resource not accessible" } });
    await expect(find()).rejects.toMatchObject({ code: "E_GITHUB_REFUSED" });
    await expect(find()).rejects.toThrow("Resource not accessible");
  });

  it("takes silence for a failure", async () => {
    const nowhere = buildGitHub({ apiUrl: "http://127.0.0.1:1", repository: "acme/shop", token: "t" });
    const attempt = findLastSuccess(nowhere, { workflow: "main.yml", branch: "main" });
    await expect(attempt).rejects.toMatchObject({ code: "E_GITHUB_UNREACHABLE" });
  });
});

describe("putComment", () => {
  const comments = "/repos/acme/shop/issues/12/comments";
  const put = () => putComment(github, { pullRequest: 12, name: "infra-diff", title: "Diff", output: "+ a" });
  const written = () => server.requests.filter(({ method }) => method !== "GET");

  it("writes one where there is none of that name", async () => {
    server.answers[`GET ${comments}`] = () => ({ body: [{ id: 1, body: "<!-- workspace-ci: other -->" }] });
    server.answers[`POST ${comments}`] = () => ({ status: 201, body: {} });
    await put();
    expect(written()).toMatchObject([
      { method: "POST", body: { body: "<!-- workspace-ci: infra-diff -->\n### Diff\n\n```\n+ a\n```\n" } },
    ]);
  });

  it("writes over its own, though it is not on the first page", async () => {
    server.answers[`GET ${comments}`] = (query) => ({
      body:
        query.get("page") === "1"
          ? Array.from({ length: 100 }, (_, id) => ({ id, body: "hello" }))
          : [{ id: 555, body: "<!-- workspace-ci: infra-diff -->\nold" }],
    });
    server.answers["PATCH /repos/acme/shop/issues/comments/555"] = () => ({ body: {} });
    await put();
    expect(written()).toMatchObject([{ method: "PATCH", path: "/repos/acme/shop/issues/comments/555" }]);
  });
});

describe("buildBody", () => {
  const build = (output: string) => buildBody({ marker: "<!-- m -->", title: "T", output });

  it("shows the output without its colours", () => {
    expect(build("\u001b[32m+ green\u001b[39m\n")).toContain("```\n+ green\n```");
  });

  it("can't be closed by what it shows", () => {
    expect(build("a\n`````\nb")).toContain("``````\na\n`````\nb\n``````");
  });

  it("cuts what GitHub would refuse, and says so", () => {
    const body = build("x".repeat(70_000));
    expect(body.length).toBe(65_536);
    expect(body).toMatch(/cut: the job's log has all of it\n```\n$/);
  });
});
