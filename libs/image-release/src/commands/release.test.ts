import { readFileSync } from "node:fs";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { findImage, findLiveConfiguration, readPublishedTag } from "@workspace/handoff";
import { exitCodes } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provenanceType } from "../attachments/provenance.ts";
import { sbomType } from "../attachments/sbom.ts";
import { type LocalStage, openLocalStage } from "../testing/local-stage.ts";
import { buildHandler, handlerPath } from "../testing/scratch-checkout.ts";

let stage: LocalStage;
let firstTag: string;
let brokenTag: string;
beforeAll(async () => {
  stage = await openLocalStage();
  stage.checkout.write(handlerPath, buildHandler(200, "one"));
  stage.checkout.write("apps/lambda-app/smoke-event.json", "{}");
  firstTag = stage.checkout.commit("feat: one");
});
afterAll(() => stage?.close());

const readLive = async () => (await findLiveConfiguration(stage.clients, stage.fn("local")))?.digest;
const readTag = () => readPublishedTag(stage.clients, stage.fn("local"));

describe("release, from an account without anything on", () => {
  it("needs a repository", async () => {
    const { exitCode, stderr, stdout } = await stage.run("release");
    expect(stderr).toMatch(/^E_REPOSITORY_MISSING: .*\n(.*\n)*.*infra:deploy/m);
    expect([exitCode, stdout]).toEqual([exitCodes.failed, ""]);
  });

  it("pushes and publishes nothing where there is no function to prove it on", async () => {
    await stage.createRepository(stage.fn("local"));
    const { exitCode, stderr } = await stage.run("release");
    expect(stderr).toContain("E_FUNCTION_MISSING");
    expect(exitCode).toBe(exitCodes.failed);
    expect(await readTag()).toBeUndefined();
  });

  it("makes live and publishes, without a second push", async () => {
    await stage.createFunction(stage.fn("local"));
    const plan = await stage.run("release", "--dry-run");
    expect(plan.stdout).toContain(`  - make it live\n  - publish ${firstTag}`);
    expect(await readTag()).toBeUndefined();

    const ended = await stage.start({ CDK_DOCKER: "/no/such/cli" }, "release", "--json");
    expect(ended.stderr).toContain("is live");
    const value = JSON.parse(ended.stdout);
    expect(value).toMatchObject({ kind: "released", tag: firstTag, image: "none", stage: "local" });
    expect([await readTag(), await readLive()]).toEqual([firstTag, value.digest]);
  });

  it("attaches what is in the image and where it came from", async () => {
    const referrers = await stage.listReferrers(stage.fn("local"), firstTag);
    expect(referrers.map(({ artifactType }) => artifactType).toSorted()).toEqual([sbomType, provenanceType]);
    expect((await stage.run("verify")).stdout).toContain("OK   statements: SBOM, provenance");
  });

  it("answers from that build", async () => {
    const { stdout, exitCode } = await stage.run("invoke", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ answer: { statusCode: 200, body: "one" }, version: "2" });
    expect(exitCode).toBe(exitCodes.done);
  });

  it("moves nothing again, and makes no call that could", async () => {
    const before = readRecord().length;
    const { stdout, exitCode } = await stage.run("release");
    expect(stdout).toBe(
      `lambda-app-local: ${firstTag} is live and published already; nothing was moved\n`.trim(),
    );
    expect(exitCode).toBe(exitCodes.done);
    const operations = readRecord().slice(before);
    expect(operations.length).toBeGreaterThan(0);
    expect(operations.filter((name) => !/^(Get|Describe|List)/.test(name))).toEqual([]);
  });

  it("tags the same content of another commit, without a build", async () => {
    const live = await readLive();
    const tag = stage.checkout.commit("docs: nothing that is in the image");
    const ended = await stage.start({ CDK_DOCKER: "/no/such/cli" }, "release", "--json");
    expect(JSON.parse(ended.stdout)).toMatchObject({ kind: "released", tag, image: "tag", digest: live });
    expect(await readTag()).toBe(tag);
  });
});

describe("release, of something else", () => {
  it("refuses what is not committed, unless the tag may say so", async () => {
    stage.checkout.write(handlerPath, buildHandler(200, "dirty"));
    const refused = await stage.run("release");
    expect(refused.stderr).toContain(`E_TREE_DIRTY`);
    expect(refused.stderr).toContain(handlerPath);
    expect(refused.exitCode).toBe(exitCodes.failed);

    const allowed = await stage.run("release", "--allow-dirty", "--json");
    expect(JSON.parse(allowed.stdout).tag).toMatch(/^[0-9a-f]{12}-dirty-[0-9a-f]{12}$/);
    expect(await readTag()).toBe(JSON.parse(allowed.stdout).tag);
  });

  it("puts everything back where the smoke check fails", async () => {
    const before = [await readTag(), await readLive()];
    stage.checkout.write(handlerPath, buildHandler(500, "broken"));
    brokenTag = stage.checkout.commit("feat: broken");
    const { exitCode, stderr, stdout } = await stage.run("release");
    expect(stderr).toContain("E_SMOKE_FAILED");
    expect(stderr).toContain("\n  exit code 2: failed after something had moved; it was put back");
    expect([exitCode, stdout]).toEqual([exitCodes.rolledBack, ""]);
    expect([await readTag(), await readLive()]).toEqual(before);
    expect(await findImage(stage.clients, stage.fn("local"), brokenTag)).toBeDefined();
  });

  it("is not what a rollback makes live without the check that it has never passed", async () => {
    const before = [await readTag(), await readLive()];
    const ended = await stage.run("rollback", "--to", brokenTag);
    expect(ended.stderr).toContain("E_SMOKE_FAILED");
    expect(ended.exitCode).toBe(exitCodes.rolledBack);
    expect([await readTag(), await readLive()]).toEqual(before);
  });

  it("shows what a container CLI says when it fails", async () => {
    stage.checkout.write(handlerPath, buildHandler(200, "two"));
    stage.checkout.commit("feat: two");
    const ended = await stage.start({ CDK_DOCKER: "false" }, "release");
    expect(ended.stderr).toContain("E_CONTAINER_CLI_FAILED: false build");
    expect(ended.exitCode).toBe(exitCodes.failed);
  });

  it("goes on to all traffic after a canary without errors", async () => {
    const ended = await stage.run("release", "--canary", "10%", "--bake", "1s", "--json");
    expect(ended.stderr).toContain("10% of the traffic");
    expect(JSON.parse(ended.stdout)).toMatchObject({ kind: "released", image: "push" });
    expect((await stage.run("invoke")).stdout).toContain("two");
  });

  it("gives up waiting for the lease at the first signal", async () => {
    stage.checkout.commit("chore: another commit");
    const { leaseParameter } = stage.fn("local");
    await holdLease(leaseParameter);
    const running = stage.start({}, "release");
    for await (const line of running.iterable({ from: "stderr" })) {
      if (!running.killed && line.startsWith("waiting for release of ada@elsewhere")) running.kill("SIGINT");
    }
    const ended = await running;
    expect(ended.stderr).toContain("E_INTERRUPTED");
    expect(ended.exitCode).toBe(exitCodes.failed);

    expect((await stage.run("unlock")).stdout).toContain("broke the lease of release");
    expect((await stage.run("release")).exitCode).toBe(exitCodes.done);
  });
});

/** Operations, in the order that they were called. */
function readRecord(): string[] {
  const lines = readFileSync(stage.recordFile, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).operation);
}

/** Writes the lease of a process on another machine, as `withLease` does. */
async function holdLease(parameter: string): Promise<void> {
  const { ssm } = stage.clients;
  const { Version = 0 } = await ssm.send(
    new PutParameterCommand({ Name: parameter, Type: "String", Value: "{}", Overwrite: true }),
  );
  const holder = {
    nonce: "n",
    user: "ada",
    host: "elsewhere",
    pid: 1,
    instance: "",
    command: "release",
    since: new Date().toISOString(),
    ttlMs: 600_000,
  };
  const value = JSON.stringify({ kind: "held", basedOn: Version, holder });
  await ssm.send(new PutParameterCommand({ Name: parameter, Type: "String", Value: value, Overwrite: true }));
}
