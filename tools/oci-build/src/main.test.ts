// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of that form
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CliRun, runCli } from "./testing/run-cli.ts";
import { makeScratchFolder } from "./testing/scratch-folder.ts";
import { startTestRegistry, type TestRegistryProps, testCredentials } from "./testing/test-registry.ts";

const dockerfile = [
  "ARG BASE_IMAGE=glibc",
  "FROM ${BASE_IMAGE}",
  "COPY app.js /",
  'CMD ["app.handler"]',
].join("\n");

function openWorkplace(files: Record<string, string> = {}) {
  const directory = makeScratchFolder({ Dockerfile: dockerfile, "app.js": "1", ...files });
  const store = makeScratchFolder();
  const cli = (argv: readonly string[], props: Partial<Parameters<typeof runCli>[1]> = {}): Promise<CliRun> =>
    runCli(argv, { store, cwd: directory, ...props });
  return { directory, store, cli };
}

async function startRegistry(props: TestRegistryProps = {}) {
  const registry = await startTestRegistry(props);
  onTestFinished(() => registry.close());
  return registry;
}

const done = expect.objectContaining({ code: 0 });
const scratch = ["--build-arg", "BASE_IMAGE=scratch"];

/** As `@aws-cdk/cdk-assets-lib` calls it: https://github.com/aws/aws-cdk-cli/blob/main/packages/@aws-cdk/cdk-assets-lib/lib/private/docker.ts */
describe("as the CDK calls it", () => {
  it("inspects, builds, tags, logs in and pushes", async () => {
    const registry = await startRegistry({ auth: "basic" });
    const { directory, cli } = openWorkplace();
    const uri = `${registry.host}/cdk-assets:0a1b`;
    expect(await cli(["inspect", "cdkasset-0a1b"])).toMatchObject({ code: 1, stdout: "" });
    const build = [
      "build",
      ...scratch,
      "--tag",
      "cdkasset-0a1b",
      "--file",
      "Dockerfile",
      "--platform",
      "linux/arm64",
      ".",
    ];
    const environment = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };
    expect(await cli(build, { cwd: directory, environment })).toEqual(done);
    const [inspected] = JSON.parse((await cli(["inspect", "cdkasset-0a1b"])).stdout);
    expect(inspected).toMatchObject({ Architecture: "arm64", Os: "linux", Config: { Cmd: ["app.handler"] } });
    expect(await cli(["tag", "cdkasset-0a1b", uri])).toEqual(done);
    const login = ["login", "--username", testCredentials.username, "--password-stdin", registry.host];
    expect(await cli(login, { input: testCredentials.password })).toMatchObject({
      code: 0,
      stdout: "Login Succeeded\n",
    });
    const push = await cli(["push", uri]);
    expect(push).toMatchObject({ code: 0, stdout: expect.stringContaining(inspected.Id) });
    expect([...registry.manifests.keys()]).toEqual(["cdk-assets:0a1b", `cdk-assets@${inspected.Id}`]);
  });

  it("takes --config before the command", async () => {
    const registry = await startRegistry({ auth: "basic" });
    const { cli } = openWorkplace();
    const config = makeScratchFolder();
    const login = ["--config", config, "login", "--username", "AWS", "--password-stdin", registry.host];
    expect(await cli(login, { input: `${testCredentials.password}\n` })).toEqual(done);
    expect(Object.keys(JSON.parse(readFileSync(join(config, "config.json"), "utf8")).auths)).toEqual([
      registry.host,
    ]);
  });

  it.each(["--build-context", "--secret", "--ssh", "--network", "--cache-from", "--cache-to", "--output"])(
    "refuses %s by name",
    async (option) => {
      const { cli } = openWorkplace();
      const { code, stderr } = await cli(["build", option, "x", "."]);
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^E_OPTION_UNSUPPORTED.*"${option}".*CDK_DOCKER=docker`));
    },
  );
});

describe("build", () => {
  it("prints the digest alone with --quiet, and writes it with --iidfile; it names the image from then on", async () => {
    const { directory, cli } = openWorkplace();
    const { stdout } = await cli(["build", "--quiet", "--iidfile", "id", ...scratch, "."]);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(readFileSync(join(directory, "id"), "utf8")).toBe(stdout.trim());
    expect(await cli(["tag", stdout.trim(), "app:1"])).toEqual(done);
    expect(JSON.parse((await cli(["inspect", "app:1"])).stdout)[0]).toMatchObject({
      Id: stdout.trim(),
      RepoTags: ["docker.io/library/app:1"],
      RepoDigests: [`docker.io/library/app@${stdout.trim()}`],
    });
  });

  it("shares its store with others that build at the same time, and gives all of them the same", async () => {
    const { cli, store } = openWorkplace({ "app.js": "x".repeat(3_000_000) });
    const names = ["one", "two", "three", "four"];
    const runs = await Promise.all(names.map((name) => cli(["build", "-q", "-t", name, ...scratch, "."])));
    expect(new Set(runs.map((run) => run.stdout)).size).toBe(1);
    expect(await cli(["inspect", ...names])).toEqual(done);
    expect(readdirSync(join(store, "partial"))).toEqual([]);
  });

  it("takes the time from SOURCE_DATE_EPOCH", async () => {
    const { cli } = openWorkplace();
    const build = ["build", "-t", "app", ...scratch, "."];
    expect(await cli(build, { environment: { SOURCE_DATE_EPOCH: "1700000000" } })).toEqual(done);
    expect(JSON.parse((await cli(["inspect", "app"])).stdout)[0].Created).toBe("2023-11-14T22:13:20Z");
    const refused = await cli(build, { environment: { SOURCE_DATE_EPOCH: "yesterday" } });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("E_SOURCE_DATE_EPOCH") });
  });

  it("takes a bare --build-arg from the environment", async () => {
    const { cli } = openWorkplace();
    const build = ["build", "--build-arg", "BASE_IMAGE", "."];
    expect(await cli(build, { environment: { BASE_IMAGE: "scratch" } })).toEqual(done);
  });

  it.each<[string[], string]>([
    [["build", "none"], "E_CONTEXT_MISSING"],
    [["build", "-"], "E_CONTEXT_MISSING"],
    [["build", "-f", "none", "."], "E_DOCKERFILE_MISSING"],
    [["build", "-f", ".", "."], "E_DOCKERFILE_MISSING"],
    [["build", ...scratch, "--iidfile", "none/id", "."], "E_IIDFILE_UNWRITABLE"],
    [["build", ...scratch, "--iidfile", ".", "."], "E_IIDFILE_UNWRITABLE"],
    [["build", "-t", "UPPER", "."], "E_REFERENCE_MALFORMED"],
    [["build", "--platform", "linux/amd64,linux/arm64", "."], "E_PLATFORM_UNSUPPORTED"],
    [["build", ...scratch, "--platform", "linux/amd46", "."], "E_PLATFORM_UNSUPPORTED"],
    [["build", "--build-arg", "=x", "."], "E_USAGE"],
    [["build", "--pull", "."], "unknown option '--pull'"],
    [["tag", "none", "other"], "E_IMAGE_MISSING"],
    [["push", "none"], "E_IMAGE_MISSING"],
    [["run", "x"], "unknown command 'run'"],
  ])("%j ends with 1 and %s", async (argv, message) => {
    const { code, stderr, stdout } = await openWorkplace().cli(argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("gives no name to an image whose digest it could not write", async () => {
    const { cli } = openWorkplace();
    await cli(["build", ...scratch, "-t", "app", "--iidfile", "none/id", "."]);
    expect(await cli(["inspect", "app"])).toMatchObject({ code: 1, stdout: "" });
  });

  it.each(["Dockerfile", "/proc/none"])("ends with 1 where its store is %s", async (store) => {
    const { cli } = openWorkplace();
    const { code, stderr } = await cli(["build", ...scratch, "."], { store });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^E_STORE_UNUSABLE.*OCI_BUILD_STORE/),
    });
  });

  it("names the line of a RUN and the engines, and leaves nothing behind", async () => {
    const { cli, store } = openWorkplace({ Dockerfile: "FROM scratch\nCOPY app.js /\nRUN npm ci\n" });
    const { code, stderr } = await cli(["build", "-t", "app", "."]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^E_DOCKERFILE_UNSUPPORTED: line 3 .*RUN.*CDK_DOCKER=docker/);
    expect(readdirSync(join(store, "blobs/sha256"))).toEqual([]);
  });
});

describe("prune", () => {
  it("removes what is old enough, and a build makes it again", async () => {
    const { cli } = openWorkplace();
    const build = ["build", "-q", "-t", "app", ...scratch, "."];
    const { stdout } = await cli(build);
    expect(await cli(["prune"])).toMatchObject({ code: 0, stdout: "freed 0 B\n" });
    expect(await cli(["inspect", "app"])).toEqual(done);
    expect(await cli(["prune", "--days", "0"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^freed .*B\n$/),
    });
    expect(await cli(["inspect", "app"])).toMatchObject({ code: 1 });
    expect(await cli(build)).toMatchObject({ code: 0, stdout });
    expect(await cli(["prune", "--days", "soon"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("E_USAGE"),
    });
  });
});

describe("login", () => {
  it.each(["basic", "bearer"] as const)("keeps no wrong password (%s)", async (auth) => {
    const registry = await startRegistry({ auth });
    const { cli, store } = openWorkplace();
    const login = ["login", "-u", "AWS", "--password-stdin", registry.host];
    const refused = await cli(login, { input: "wrong" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("E_REGISTRY_LOGIN_REFUSED") });
    expect(refused.stderr).not.toContain("wrong");
    expect(statSync(join(store, "docker"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("wants a password", async () => {
    const { cli } = openWorkplace();
    const login = ["login", "-u", "AWS", "--password-stdin", "127.0.0.1:1"];
    expect(await cli(login)).toMatchObject({ code: 1, stderr: expect.stringContaining("E_USAGE") });
  });
});

describe("push", () => {
  it("says what to do without a login, and when nobody answers", async () => {
    const registry = await startRegistry({ auth: "basic" });
    const { cli } = openWorkplace();
    await cli(["build", "-t", `${registry.host}/app:1`, ...scratch, "."]);
    const refused = await cli(["push", `${registry.host}/app:1`]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("E_REGISTRY_LOGIN_REQUIRED") });
    await registry.close();
    const unanswered = await cli(["push", `${registry.host}/app:1`]);
    expect(unanswered).toMatchObject({ code: 1, stderr: expect.stringContaining("E_REGISTRY_UNREACHABLE") });
    expect(unanswered.stderr).toContain("attempt 5 of 5");
  });

  it("tells how far it is, and survives a connection that is lost half way", async () => {
    let cut = false;
    const registry = await startRegistry({
      intercept: (request) => {
        if (request.method !== "PUT" || !request.url?.includes("/uploads/") || cut) return false;
        if (Number(request.headers["content-length"]) < 5_000_000) return false;
        cut = true;
        request.once("data", () => request.socket.destroy());
        return true;
      },
    });
    const { cli, directory } = openWorkplace();
    writeFileSync(join(directory, "app.js"), randomBytes(12_000_000));
    await cli(["build", "-t", `${registry.host}/app:1`, ...scratch, "."]);
    const { code, stderr } = await cli(["push", `${registry.host}/app:1`]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/attempt 2 of 5/);
    expect(stderr).toMatch(/sha256:\w{12}: 50 % of 12\.\d MB/);
  });
});
