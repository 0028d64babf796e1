import { execFile } from "node:child_process";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeScratchFolder } from "../testing/scratch-folder.ts";
import { openDockerConfig } from "./docker-config.ts";

const run = promisify(execFile);
const credentials = { username: "AWS", password: "pass:word" };
const encoded = Buffer.from("AWS:pass:word").toString("base64");

afterEach(() => vi.unstubAllEnvs());

function withConfig(config?: object | string): string {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return makeScratchFolder(config === undefined ? {} : { "config.json": text });
}

/** A credential helper as a real program, in the PATH. */
function installHelper(name: string, script: string): void {
  const folder = makeScratchFolder({
    [`docker-credential-${name}`]: { mode: 0o755, text: `#!/bin/sh\n${script}\n` },
  });
  vi.stubEnv("PATH", [folder, process.env.PATH].join(delimiter));
}

describe("auths", () => {
  it.each(["host:1", "https://host:1", "https://host:1/"])("are found under %s", async (key) => {
    const config = openDockerConfig(withConfig({ auths: { [key]: { auth: encoded } } }));
    expect(await config.findCredentials("host:1")).toEqual(credentials);
    expect(await config.findCredentials("other")).toBeUndefined();
  });

  it("of Docker Hub are where docker keeps them", async () => {
    const folder = withConfig();
    await openDockerConfig(folder).storeCredentials("docker.io", credentials);
    expect(Object.keys(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).auths)).toEqual([
      "https://index.docker.io/v1/",
    ]);
    expect(await openDockerConfig(folder).findCredentials("docker.io")).toEqual(credentials);
  });

  it("are kept for the owner's eyes, beside whatever else the file has", async () => {
    const folder = withConfig({ auths: { other: { auth: "eDp5" } }, proxies: { a: 1 } });
    chmodSync(join(folder, "config.json"), 0o644);
    await openDockerConfig(folder).storeCredentials("host", credentials);
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))).toEqual({
      auths: { other: { auth: "eDp5" }, host: { auth: encoded } },
      proxies: { a: 1 },
    });
    expect(statSync(join(folder, "config.json")).mode & 0o777).toBe(0o600);
  });

  it("of many processes that log in at once are all kept", async () => {
    const folder = withConfig();
    const script = `
      const { openDockerConfig } = await import(${JSON.stringify(join(import.meta.dirname, "docker-config.ts"))});
      const config = openDockerConfig(process.argv[1]);
      for (let n = 0; n < 5; n += 1)
        await config.storeCredentials(\`\${process.argv[2]}:\${n}\`, { username: "AWS", password: "word" });
    `;
    const bun = join(import.meta.dirname, "../../../../node_modules/.bin/bun");
    await Promise.all(["a", "b", "c", "d"].map((name) => run(bun, ["-e", script, folder, name])));
    const { auths } = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    expect(Object.keys(auths)).toHaveLength(20);
  });

  it("are absent without a file or an entry", async () => {
    for (const config of [undefined, {}, { auths: {} }, { auths: { host: {} } }]) {
      expect(await openDockerConfig(withConfig(config)).findCredentials("host")).toBeUndefined();
    }
  });

  it.each(["{", "[]", '{"auths":{"host":{"auth":"eA=="}}}'])(
    "are refused where the file is %s",
    async (text) => {
      await expect(openDockerConfig(withConfig(text)).findCredentials("host")).rejects.toThrow(
        "E_DOCKER_CONFIG_MALFORMED",
      );
    },
  );
});

describe("credential helpers", () => {
  it("are asked for their registry, over standard input", async () => {
    installHelper("test", `[ "$1 $(cat)" = "get host" ] && echo '{"Username":"AWS","Secret":"pass:word"}'`);
    for (const config of [{ credHelpers: { host: "test" } }, { credsStore: "test" }]) {
      expect(await openDockerConfig(withConfig(config)).findCredentials("host")).toEqual(credentials);
    }
  });

  it("keep what a login gives, in place of the file", async () => {
    const kept = makeScratchFolder();
    installHelper("test", `[ "$1" = store ] && cat > ${kept}/entry`);
    const folder = withConfig({ credsStore: "test" });
    await openDockerConfig(folder).storeCredentials("host", credentials);
    expect(JSON.parse(readFileSync(join(kept, "entry"), "utf8"))).toEqual({
      ServerURL: "host",
      Username: "AWS",
      Secret: "pass:word",
    });
    expect(readFileSync(join(folder, "config.json"), "utf8")).not.toContain(encoded);
  });

  it("may know nothing of the registry", async () => {
    installHelper("test", "echo 'credentials not found in native keychain'; exit 1");
    expect(
      await openDockerConfig(withConfig({ credsStore: "test" })).findCredentials("host"),
    ).toBeUndefined();
  });

  it.each([
    ["fail", "echo locked >&2; exit 1", "locked"],
    ["answer nonsense", "echo '{}'", "without Username"],
    ["answer no JSON", "echo hello", "without Username"],
  ])("are not passed over when they %s", async (_, script, message) => {
    installHelper("test", script);
    const found = openDockerConfig(withConfig({ credsStore: "test" })).findCredentials("host");
    await expect(found).rejects.toThrow(/^E_CREDENTIAL_HELPER_FAILED/);
    await expect(found).rejects.toThrow(message);
  });

  it("are not passed over when they are missing", async () => {
    const found = openDockerConfig(withConfig({ credsStore: "none-such" })).findCredentials("host");
    await expect(found).rejects.toThrow("it can't be started");
  });
});
