import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createScratchWorkspace, type ScratchWorkspace } from "@workspace/e2e";
import { execa, execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decision } from "../decision/decide.ts";
import { emptyTree } from "../decision/decide.ts";
import { type GitHubFixture, openGitHubFixture } from "../testing/github-fixture.ts";

const runsPath = "GET /repos/acme/shop/actions/workflows/main.yml/runs";

let scratch: ScratchWorkspace;
let github: GitHubFixture;
let handOver: string;
beforeAll(async () => {
  scratch = createScratchWorkspace();
  github = await openGitHubFixture();
  handOver = mkdtempSync(join(tmpdir(), "hand-over-"));
}, 300_000);
afterAll(async () => {
  await github?.close();
  scratch?.remove();
  rmSync(handOver, { recursive: true, force: true });
});

/** The decision for a commit, where the runs of these commits have succeeded, newest last. */
async function decideFor(
  head: string,
  succeeded: readonly string[],
  environment: Record<string, string> = {},
): Promise<Decision> {
  const runs = succeeded.map((head_sha, index) => ({ head_sha, run_number: index + 1 }));
  github.answers = { [runsPath]: () => ({ body: { workflow_runs: runs } }) };
  const { stdout } = await execa("node_modules/.bin/workspace-ci", ["decide", "--head", head], {
    cwd: scratch.directory,
    extendEnv: false,
    env: {
      PATH: process.env.PATH,
      GITHUB_API_URL: github.apiUrl,
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_REF_NAME: "main",
      GITHUB_TOKEN: "t0ken",
      ...environment,
    },
  });
  return JSON.parse(stdout);
}

const change = (path: string) => {
  scratch.write(path, `// ${crypto.randomUUID()}\n`);
  return scratch.commit(`chore: change ${path}`);
};
const git = (...argv: string[]) => execaSync("git", argv, { cwd: scratch.directory }).stdout;

describe("what a push calls for", { timeout: 300_000 }, () => {
  it("the first ever: everything, deploys first", async () => {
    const head = git("rev-parse", "HEAD");
    expect(await decideFor(head, [])).toMatchObject({
      base: emptyTree,
      head,
      order: ["infra:deploy", "lambda-app:release"],
    });
  });

  it("infra only, app only, both, neither", async () => {
    const start = git("rev-parse", "HEAD");
    const infra = change("apps/infra/src/planted.ts");
    const app = change("apps/lambda-app/src/planted.ts");
    const docs = change("docs/planted.md");
    expect(await decideFor(infra, [start])).toMatchObject({ base: start, order: ["infra:deploy"] });
    expect(await decideFor(app, [start, infra])).toMatchObject({ order: ["lambda-app:release"] });
    expect((await decideFor(app, [start])).order).toEqual(["infra:deploy", "lambda-app:release"]);
    expect((await decideFor(docs, [start, infra, app])).order).toEqual([]);
  });

  it("what failed runs left undone is part of the next", async () => {
    const start = git("rev-parse", "HEAD");
    change("apps/lambda-app/src/planted.ts");
    const next = change("docs/planted.md");
    expect((await decideFor(next, [start])).order).toEqual(["lambda-app:release"]);
  });

  it("a re-run that was overtaken does nothing, also where everything is asked for", async () => {
    const old = change("apps/lambda-app/src/planted.ts");
    const newer = change("apps/lambda-app/src/planted.ts");
    const asked = { GITHUB_EVENT_NAME: "workflow_dispatch" };
    expect((await decideFor(old, [newer])).order).toEqual([]);
    expect((await decideFor(old, [newer], asked)).order).toEqual([]);
    expect((await decideFor(newer, [newer], asked)).order).toEqual(["infra:deploy", "lambda-app:release"]);
  });

  it("hands the decision to the steps that follow", async () => {
    const start = git("rev-parse", "HEAD");
    const head = change("apps/infra/src/planted.ts");
    const files = { GITHUB_OUTPUT: join(handOver, "output"), GITHUB_ENV: join(handOver, "env") };
    await decideFor(head, [start], files);
    expect(readFileSync(files.GITHUB_OUTPUT, "utf8")).toBe("deploy=lambda-app\nrelease=\n");
    expect(readFileSync(files.GITHUB_ENV, "utf8")).toBe(`NX_BASE=${start}\nNX_HEAD=${head}\n`);
  });
});

describe("what a pull request calls for", { timeout: 300_000 }, () => {
  it("what it changes, not what its target has got since", async () => {
    const fork = git("rev-parse", "HEAD");
    const target = change("apps/lambda-app/src/planted.ts");
    git("update-ref", "refs/remotes/origin/main", target);
    git("checkout", "--quiet", "--detach", fork);
    const head = change("apps/infra/src/planted.ts");
    const decision = await decideFor(head, [], { GITHUB_BASE_REF: "main" });
    expect(decision).toMatchObject({ base: fork, order: ["infra:deploy"] });
    git("checkout", "--quiet", "main");
  });
});

it("a clone without its history is refused", async () => {
  const shallow = mkdtempSync(join(tmpdir(), "shallow-"));
  try {
    execaSync("git", ["clone", "--quiet", "--depth=1", `file://${scratch.directory}`, shallow]);
    const decide = execa(join(scratch.directory, "node_modules/.bin/workspace-ci"), ["decide"], {
      cwd: shallow,
    });
    await expect(decide).rejects.toThrow("E_HISTORY_SHALLOW");
  } finally {
    rmSync(shallow, { recursive: true, force: true });
  }
});
