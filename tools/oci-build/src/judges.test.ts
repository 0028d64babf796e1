import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { skipReason } from "./testing/judges.ts";
import { runCli, runProcess } from "./testing/run-cli.ts";
import { makeScratchFolder } from "./testing/scratch-folder.ts";

const missing = skipReason(["skopeo", "docker-registry"]);

/** Debian's docker-registry, in a process of its own, on a port that it chooses. @returns `127.0.0.1:PORT` */
async function startDockerRegistry(): Promise<string> {
  const folder = makeScratchFolder({
    "config.yml": JSON.stringify({
      version: "0.1",
      log: { formatter: "text" },
      storage: { filesystem: { rootdirectory: join(makeScratchFolder(), "registry") } },
      http: { addr: "127.0.0.1:0" },
    }),
  });
  const registry = spawn("docker-registry", ["serve", join(folder, "config.yml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    if (registry.exitCode !== null) return;
    registry.kill("SIGKILL");
    await once(registry, "exit");
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: registry.stderr })) {
    said.push(line);
    const [, host] = /listening on (127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (host === undefined) continue;
    registry.stderr.resume();
    return host;
  }
  throw new Error(`docker-registry ended: ${said.join("\n")}`);
}

async function skopeo(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProcess("skopeo", argv, {});
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe.skipIf(missing !== undefined)(`docker-registry and skopeo${missing ?? ""} agree`, () => {
  const files = { Dockerfile: "FROM scratch\nCOPY app /app\nENV A=1\n", "app/a": "1" };

  it("with what is pushed, and need nothing sent again", async () => {
    const host = await startDockerRegistry();
    const store = makeScratchFolder();
    const name = `${host}/team/app:1`;
    const build = await runCli(
      ["build", "-q", "--platform", "linux/arm64", "-t", name, makeScratchFolder(files)],
      { store },
    );
    const digest = build.stdout.trim();
    expect(await runCli(["push", name], { store })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(digest),
    });
    const inspected = JSON.parse(
      await skopeo("inspect", "--tls-verify=false", `docker://${name}`, "--override-arch=arm64"),
    );
    expect(inspected).toMatchObject({ Digest: digest, Architecture: "arm64", Os: "linux", RepoTags: ["1"] });
    await skopeo(
      "copy",
      "--src-tls-verify=false",
      `docker://${name}`,
      `dir:${join(makeScratchFolder(), "copy")}`,
    );
    const again = await runCli(["push", name], { store });
    expect(again).toMatchObject({ code: 0, stderr: `${name} is there already\n` });
    expect(await runCli(["tag", name, `${host}/other:2`], { store })).toMatchObject({ code: 0 });
    const mounted = await runCli(["push", `${host}/other:2`], { store });
    expect(mounted.stderr.match(/mounted/g)).toHaveLength(2);
  });

  it("with what is built on an image that another tool pushed in Docker's format", async () => {
    const host = await startDockerRegistry();
    const store = makeScratchFolder();
    await runCli(["build", "-t", `${host}/ours:1`, makeScratchFolder(files)], { store });
    await runCli(["push", `${host}/ours:1`], { store });
    const copy = ["copy", "--format", "v2s2", "--src-tls-verify=false", "--dest-tls-verify=false"];
    await skopeo(...copy, `docker://${host}/ours:1`, `docker://${host}/theirs:1`);
    const onTop = makeScratchFolder({
      Dockerfile: `FROM ${host}/theirs:1\nCOPY --from=${host}/theirs:1 /app/a /b\n`,
    });
    const other = makeScratchFolder();
    expect(await runCli(["build", "-t", `${host}/top:1`, onTop], { store: other })).toMatchObject({
      code: 0,
    });
    expect(await runCli(["push", `${host}/top:1`], { store: other })).toMatchObject({ code: 0 });
    const top = JSON.parse(await skopeo("inspect", "--tls-verify=false", `docker://${host}/top:1`));
    expect(top.Layers).toHaveLength(2);
    expect(top.Env).toContain("A=1");
  });
});
