import { execFile, spawnSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createPasswords } from "../ecr/passwords.ts";
import { createMemoryContext } from "../testing/memory-context.ts";
import { ociManifest, openRegistry, type Registry, sha256 } from "../testing/push-image.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let registry: Registry;
let count = 0;
/** A repository of its own for each test. */
let name: string;
beforeAll(async () => {
  server = await startTestServer();
  registry = await openRegistry(server);
});
beforeEach(async () => {
  count += 1;
  name = await registry.createRepository(`app-${count}`);
});
afterAll(() => server?.stop());

const call = (method: string, path: string, init: { headers?: object; body?: string } = {}) =>
  fetch(new URL(path, server.endpoint), {
    method,
    headers: { ...registry.headers, ...init.headers },
    ...(init.body !== undefined && { body: init.body }),
  });
const errorOf = async (response: Response) => {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return { status: response.status, ...errors[0] };
};
const digest = (text: string) => sha256(Buffer.from(text));

describe("login", () => {
  it.each([
    ["nothing", undefined],
    ["a wrong password", `Basic ${Buffer.from("AWS:wrong").toString("base64")}`],
    ["another scheme", "Bearer abc"],
  ])("with %s is refused with ECR's challenge", async (_what, authorization) => {
    const response = await fetch(`${server.endpoint}/v2/`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.headers.get("www-authenticate")).toBe(
      `Basic realm="${server.endpoint}/",service="ecr.amazonaws.com"`,
    );
    expect(await errorOf(response)).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
  });

  it("with the password of the token is taken", async () => {
    expect((await call("GET", "/v2/")).status).toBe(200);
  });

  it("ends when the password does", () => {
    let nowMs = 1_000;
    const passwords = createPasswords(createMemoryContext(() => nowMs));
    const { password, expiresAt } = passwords.issue();
    expect(passwords.check(password)).toBe("good");
    nowMs = expiresAt;
    expect(passwords.check(password)).toBe("expired");
    const forged = `${expiresAt + 1}.${createHmac("sha256", "guess").update("x").digest("hex")}`;
    expect(passwords.check(forged)).toBe("wrong");
  });
});

describe("uploads", () => {
  it("in chunks say how far they are, and refuse a chunk out of order", async () => {
    const start = await call("POST", `/v2/${name}/blobs/uploads/`);
    expect(start.status).toBe(202);
    const location = start.headers.get("location") ?? "";
    const patch = (range: string, body: string) =>
      call("PATCH", location, { headers: { "content-range": range }, body });
    expect((await patch("0-4", "hello")).headers.get("range")).toBe("0-4");
    const early = await patch("9-12", "late");
    expect([early.status, early.headers.get("range")]).toEqual([416, "0-4"]);
    expect((await call("GET", location)).headers.get("range")).toBe("0-4");
    await patch("5-10", " world");
    const end = await call("PUT", `${location}?digest=${digest("hello world!")}`, { body: "!" });
    expect([end.status, end.headers.get("location")]).toEqual([
      201,
      `/v2/${name}/blobs/${digest("hello world!")}`,
    ]);
    const read = await call("GET", `/v2/${name}/blobs/${digest("hello world!")}`);
    expect(await read.text()).toBe("hello world!");
  });

  it("of something else than announced leave nothing", async () => {
    const wrong = await call("POST", `/v2/${name}/blobs/uploads/?digest=${digest("announced")}`, {
      body: "received",
    });
    expect(await errorOf(wrong)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
    for (const text of ["announced", "received"]) {
      expect((await call("HEAD", `/v2/${name}/blobs/${digest(text)}`)).status).toBe(404);
    }
  });

  it("can't leave the registry's folder", async () => {
    const path = encodeURIComponent("../../../../../../../../etc/hostname");
    expect((await call("PUT", `/v2/${name}/blobs/uploads/${path}?digest=${digest("")}`)).status).toBe(404);
    const evil = await call("POST", `/v2/${name}/blobs/uploads/?digest=sha256:../../evil`, { body: "x" });
    expect(await errorOf(evil)).toMatchObject({ code: "DIGEST_INVALID" });
  });

  it("are cancelled, and then unknown", async () => {
    const location = (await call("POST", `/v2/${name}/blobs/uploads/`)).headers.get("location") ?? "";
    expect((await call("DELETE", location)).status).toBe(204);
    expect(await errorOf(await call("PATCH", location, { body: "x" }))).toMatchObject({
      status: 404,
      code: "BLOB_UPLOAD_UNKNOWN",
    });
  });

  it("are not needed for what another repository has", async () => {
    const other = await registry.createRepository(`other-${count}`);
    const blob = await registry.pushBlob(other, Buffer.from("shared"));
    expect((await call("HEAD", `/v2/${name}/blobs/${blob.digest}`)).status).toBe(404);
    const mount = (from: string) =>
      call("POST", `/v2/${name}/blobs/uploads/?mount=${blob.digest}&from=${from}`);
    expect((await mount("nowhere")).status).toBe(202);
    expect((await mount(other)).status).toBe(201);
    expect((await call("HEAD", `/v2/${name}/blobs/${blob.digest}`)).headers.get("content-length")).toBe("6");
  });
});

describe("blobs", () => {
  it("are read in parts", async () => {
    const { digest: blob } = await registry.pushBlob(name, Buffer.from("0123456789"));
    const read = (range: string) => call("GET", `/v2/${name}/blobs/${blob}`, { headers: { range } });
    const part = await read("bytes=2-4");
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([
      206,
      "234",
      "bytes 2-4/10",
    ]);
    expect(await (await read("bytes=7-")).text()).toBe("789");
    expect((await read("bytes=10-")).status).toBe(416);
  });

  it("of several megabytes come back as they went", async () => {
    const content = randomBytes(5_000_000);
    const { digest: blob } = await registry.pushBlob(name, content);
    const read = await call("GET", `/v2/${name}/blobs/${blob}`);
    expect(sha256(Buffer.from(await read.arrayBuffer()))).toBe(blob);
  });
});

describe("manifests", () => {
  const descriptor = (text: string) => ({ mediaType: "x/y", digest: digest(text), size: text.length });

  it("are found by tag and by digest, byte for byte", async () => {
    const pushed = await registry.pushImage(name, "one", { layers: [] });
    for (const reference of ["one", pushed]) {
      const read = await call("GET", `/v2/${name}/manifests/${reference}`);
      expect(read.headers.get("content-type")).toBe(ociManifest);
      expect(sha256(Buffer.from(await read.arrayBuffer()))).toBe(pushed);
    }
    expect(await errorOf(await call("GET", `/v2/${name}/manifests/none`))).toMatchObject({
      status: 404,
      code: "MANIFEST_UNKNOWN",
    });
    expect(await errorOf(await call("GET", "/v2/no-such/manifests/one"))).toMatchObject({
      status: 404,
      code: "NAME_UNKNOWN",
    });
  });

  it.each([
    [
      "lacks a layer",
      { config: descriptor("lost"), layers: [descriptor("lost")] },
      400,
      "MANIFEST_BLOB_UNKNOWN",
    ],
    ["lists a lost manifest", { manifests: [descriptor("lost")] }, 400, "MANIFEST_BLOB_UNKNOWN"],
    ["is of another schema", { schemaVersion: 1, manifests: [] }, 405, "UNSUPPORTED"],
    ["has neither config nor manifests", { layers: [] }, 405, "UNSUPPORTED"],
    ["has no layers", { config: descriptor("lost") }, 405, "UNSUPPORTED"],
    ["is of no type of manifest", { manifests: [], mediaType: "text/plain" }, 405, "UNSUPPORTED"],
  ])("that %s are refused", async (_what, manifest, status, code) => {
    const response = await registry.pushManifest(name, "bad", { schemaVersion: 2, ...manifest });
    expect(await errorOf(response)).toMatchObject({ status, code });
    expect((await call("HEAD", `/v2/${name}/manifests/bad`)).status).toBe(404);
  });

  it("that are not JSON, or not what their digest says, are refused", async () => {
    const broken = await call("PUT", `/v2/${name}/manifests/bad`, { body: "{" });
    expect(await errorOf(broken)).toMatchObject({ status: 405, code: "UNSUPPORTED" });
    const empty = { schemaVersion: 2, manifests: [] };
    const other = await registry.pushManifest(name, digest("other"), empty);
    expect(await errorOf(other)).toMatchObject({ status: 400, code: "DIGEST_INVALID" });
  });

  it("are deleted through ECR only", async () => {
    await registry.pushImage(name, "one", { layers: [] });
    expect((await call("DELETE", `/v2/${name}/manifests/one`)).status).toBe(405);
  });

  it("are listed as referrers of what they say something about", async () => {
    const subject = await registry.pushImage(name, "one", { layers: [] });
    const empty = await registry.pushBlob(name, Buffer.from("{}"));
    const attach = async (artifactType: string) => {
      const manifest = {
        schemaVersion: 2,
        mediaType: ociManifest,
        artifactType,
        config: { ...empty, mediaType: "application/vnd.oci.empty.v1+json" },
        layers: [],
        subject: { mediaType: ociManifest, digest: subject, size: 1 },
        annotations: { kind: artifactType },
      };
      const content = Buffer.from(JSON.stringify(manifest));
      const response = await registry.pushManifest(name, sha256(content), manifest);
      expect([response.status, response.headers.get("oci-subject")]).toEqual([201, subject]);
      return sha256(content);
    };
    const sbom = await attach("application/vnd.cyclonedx+json");
    const provenance = await attach("application/vnd.in-toto+json");
    const list = async (query = "") => {
      const response = await call("GET", `/v2/${name}/referrers/${subject}${query}`);
      const { manifests } = (await response.json()) as { manifests: { digest: string }[] };
      return manifests.map((manifest) => manifest.digest).sort();
    };
    expect(await list()).toEqual([sbom, provenance].sort());
    expect(await list("?artifactType=application/vnd.cyclonedx%2Bjson")).toEqual([sbom]);
  });
});

it("lists tags by pages", async () => {
  for (const tag of ["a", "b", "c"]) await registry.pushImage(name, tag, { layers: [] });
  const first = await call("GET", `/v2/${name}/tags/list?n=2`);
  expect(await first.json()).toEqual({ name, tags: ["a", "b"] });
  const next = /<(.+)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
  const second = await call("GET", next);
  expect(await second.json()).toEqual({ name, tags: ["c"] });
  expect(second.headers.get("link")).toBeNull();
});

it("answers for ECR's real host names to clients that take it for a proxy", async () => {
  await registry.pushImage(name, "one", { layers: [] });
  const { hostname, port } = new URL(server.endpoint);
  const path = `http://000000000000.dkr.ecr.eu-central-1.amazonaws.com/v2/${name}/manifests/one`;
  const status = await new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: registry.headers }, ({ statusCode }) => resolve(statusCode))
      .on("error", reject)
      .end();
  });
  expect(status).toBe(200);
});

const skopeo = spawnSync("skopeo", ["--version"]).status === 0;
if (!skopeo) console.warn("registry: skopeo's tests are skipped where it is not installed (Debian: skopeo)");

describe.skipIf(!skopeo)("skopeo", () => {
  const run = promisify(execFile);
  const directory = mkdtempSync(join(tmpdir(), "registry-test-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("inspects and copies an image, there and back", async () => {
    const pushed = await registry.pushImage(name, "one", { layers: [[{ name: "a", content: "b" }]] });
    const credentials = Buffer.from(
      registry.headers.authorization.replace("Basic ", ""),
      "base64",
    ).toString();
    const image = (tag: string) => `docker://${server.host}/${name}:${tag}`;
    const inspect = ["inspect", "--tls-verify=false", "--creds", credentials, image("one")];
    const { stdout } = await run("skopeo", inspect);
    expect(JSON.parse(stdout)).toMatchObject({ Digest: pushed, Architecture: "amd64", Os: "linux" });
    const local = `oci:${directory}:copied`;
    await run("skopeo", [
      "copy",
      "--preserve-digests",
      "--src-tls-verify=false",
      "--src-creds",
      credentials,
      image("one"),
      local,
    ]);
    await run("skopeo", [
      "copy",
      "--preserve-digests",
      "--dest-tls-verify=false",
      "--dest-creds",
      credentials,
      local,
      image("two"),
    ]);
    const back = await call("HEAD", `/v2/${name}/manifests/two`);
    expect(back.headers.get("docker-content-digest")).toBe(pushed);
  });
});
