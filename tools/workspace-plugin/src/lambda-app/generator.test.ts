import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createScratchWorkspace,
  openStageSession,
  type ScratchWorkspace,
  type StageSession,
} from "@workspace/e2e";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** A name with a dash, as `lambda-app` has one, so that it is quoted where a word would not be. */
const name = "payment-events";

let scratch: ScratchWorkspace;
let session: StageSession;
beforeAll(async () => {
  scratch = createScratchWorkspace();
  // npm writes its record of what is installed in place: not through the hard link into this checkout.
  const record = join(scratch.directory, "node_modules/.package-lock.json");
  const content = readFileSync(record);
  rmSync(record);
  writeFileSync(record, content);
  await run("npx", ["nx", "g", `@workspace/workspace-plugin:lambda-app`, name]);
  scratch.commit(`feat: add ${name}`);
}, 300_000);
afterAll(async () => {
  await session?.close();
  scratch?.remove();
});

async function run(file: string, argv: readonly string[], environment: Record<string, string> = {}) {
  return execa(file, argv, {
    cwd: scratch.directory,
    extendEnv: false,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NX_DAEMON: "false",
      NX_ISOLATE_PLUGINS: "false",
      ...environment,
    },
  });
}

describe("nx g lambda-app", { timeout: 600_000 }, () => {
  it.each([
    [name, "E_APP_EXISTS"],
    ["Payments", "E_APP_NAME"],
  ])("refuses %s", async (refused, code) => {
    const generate = run("npx", ["nx", "g", "@workspace/workspace-plugin:lambda-app", refused]);
    await expect(generate).rejects.toMatchObject({ exitCode: 1, stderr: expect.stringContaining(code) });
  });

  it("leaves nothing to do for npm", async () => {
    const { stdout } = await run("npm", ["ls", `@workspace/${name}`, "--json"]);
    expect(JSON.parse(stdout).dependencies).toHaveProperty([`@workspace/${name}`]);
    const lock = await run("git", ["show", "HEAD:package-lock.json"]);
    expect(JSON.parse(lock.stdout).packages).toHaveProperty([`apps/${name}`]);
  });

  it("gives an app that passes lint, typecheck and test", async () => {
    const projects = `--projects=${name},shared-config`;
    const { stdout } = await run("npx", ["nx", "run-many", "-t", "lint", "typecheck", "test", projects]);
    for (const target of ["lint", "typecheck", "test"]) expect(stdout).toContain(`nx run ${name}:${target}`);
    expect(stdout).toContain("Successfully ran targets");
  });

  it("leaves those tests green that count or synthesise every function", async () => {
    await run("npx", ["vitest", "run", "--root=tools/ci", "src/pushes/decisions.test.ts"]);
    const synthesising = ["nag", "template-rules", "function-", "repository-stack", "roles-app"];
    await run("npx", ["vitest", "run", "--root=apps/infra", ...synthesising]);
  });

  it("gives an app that deploys and releases", async () => {
    session = await openStageSession(scratch.directory, {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
    });
    await run("npx", ["nx", "run", "infra:deploy", `--function=${name}`], session.environment);
    await run("npx", ["nx", "run", `${name}:release`], session.environment);
    const invoked = await run("npx", ["nx", "run", `${name}:invoke`], session.environment);
    expect(invoked.stdout).toContain('"statusCode":200');
  });
});
