import { UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { findImage, findLiveConfiguration, readPublishedTag } from "@workspace/handoff";
import { exitCodes } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalStage, openLocalStage } from "./testing/local-stage.ts";
import { buildHandler, handlerPath } from "./testing/scratch-checkout.ts";

let stage: LocalStage;
const tags: string[] = [];
beforeAll(async () => {
  stage = await openLocalStage();
  await stage.createRepository(stage.fn("local"));
  await stage.createFunction(stage.fn("local"));
  for (const text of ["one", "two", "three"]) {
    stage.checkout.write(handlerPath, buildHandler(200, text));
    tags.push(stage.checkout.commit(`feat: ${text}`));
    const { exitCode, stderr } = await stage.run("release");
    if (exitCode !== exitCodes.done) throw new Error(stderr);
  }
}, 300_000);
afterAll(() => stage?.close());

const readLive = async () => (await findLiveConfiguration(stage.clients, stage.fn("local")))?.digest;
const readTag = () => readPublishedTag(stage.clients, stage.fn("local"));
const findDigest = async (tag = "") => (await findImage(stage.clients, stage.fn("local"), tag))?.digest;

describe("rollback", () => {
  it("goes to the release before, and stays there when it is run again", async () => {
    const [, second] = tags;
    expect((await stage.run("rollback", "--dry-run")).stdout).toContain(`would make ${second} live`);
    expect(await readTag()).toBe(tags[2]);
    for (const kind of ["moved", "unchanged"]) {
      const { stdout } = await stage.run("rollback", "--json");
      expect(JSON.parse(stdout)).toMatchObject({ tag: second, live: { kind } });
      expect([await readTag(), await readLive()]).toEqual([second, await findDigest(second)]);
    }
    expect((await stage.run("invoke")).stdout).toContain("two");
  });

  it("goes to a tag, and refuses what is none or has no image", async () => {
    expect((await stage.run("rollback", "--to", tags[0] ?? "")).exitCode).toBe(exitCodes.done);
    expect([await readTag(), await readLive()]).toEqual([tags[0], await findDigest(tags[0])]);
    expect((await stage.run("rollback", "--to", "latest")).stderr).toContain("E_IMAGE_TAG_MALFORMED");
    const missing = await stage.run("rollback", "--to", "0123456789ab");
    expect(missing.stderr).toContain("E_IMAGE_MISSING");
    expect(missing.exitCode).toBe(exitCodes.failed);
    expect(await readTag()).toBe(tags[0]);
  });
});

describe("history", () => {
  it("lists what was published, newest first, and says what is live", async () => {
    const { stdout } = await stage.run("history");
    const rows = stdout.split("\n").map((line) => line.split(/ {2,}/));
    const [, second, third] = tags;
    expect(rows.map(([tag, by]) => [tag, by])).toEqual([
      ["TAG", "BY"],
      [tags[0], "rollback"],
      [second, "rollback"],
      [third, "release"],
      [second, "release"],
      [tags[0], "release"],
    ]);
    expect(rows.map((row) => row[4])).toEqual([undefined, "published, live", ...Array(4).fill(undefined)]);
  });
});

describe("status", () => {
  it("is done where all agree", async () => {
    const { stdout, exitCode } = await stage.run("status");
    expect(stdout).toContain(`published  ${tags[0]}`);
    expect(exitCode).toBe(exitCodes.done);
  });

  it("has an exit code of its own for a parameter that was changed by hand, and its way out works", async () => {
    await putTag(tags[2] ?? "");
    const { stdout, exitCode } = await stage.run("status");
    expect(exitCode).toBe(exitCodes.drift);
    expect(stdout).toContain(`drift: ${tags[2]} is published, but ${tags[0]} is live`);
    const [, wayOut] = /--to (\w{12})` publishes what is live/.exec(stdout) ?? [];
    await stage.run("rollback", "--to", wayOut ?? "");
    expect((await stage.run("status")).exitCode).toBe(exitCodes.done);
    expect(await readTag()).toBe(tags[0]);
  });

  it("says what would stop a deploy", async () => {
    await putTag("latest");
    const { stdout, exitCode } = await stage.run("status", "--json");
    const value = JSON.parse(stdout);
    expect(value.deploy).toEqual({ kind: "stopped", code: "E_IMAGE_TAG_MALFORMED" });
    expect(exitCode).toBe(exitCodes.drift);
    await stage.run("rollback", "--to", tags[0] ?? "");
  });
});

describe("diff", () => {
  it("names the commits that are not live, and a configuration that is not", async () => {
    const { lambda } = stage.clients;
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: stage.fn("local").functionName,
        MemorySize: 256,
      }),
    );
    const { stdout, exitCode } = await stage.run("diff");
    expect(stdout).toContain(`${tags[0]} is live, ${tags[2]} is other content`);
    expect(stdout).toMatch(/\+ \w+ feat: three\n {4}\+ \w+ feat: two\n/);
    expect(stdout).toContain("MemorySize: 128 -> 256");
    expect(exitCode).toBe(exitCodes.done);
  });
});

describe("logs", () => {
  it("prints what the function wrote, and follows until interrupted", async () => {
    const { stdout } = await stage.run("logs", "--since", "1h", "--filter", "REPORT");
    const reports = stdout.split("\n");
    expect(reports[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z REPORT RequestId/);

    const following = stage.start({}, "logs", "--follow", "--json", "--since", "1h", "--filter", "REPORT");
    let seen = 0;
    for await (const line of following.iterable()) {
      expect(JSON.parse(line).message).toContain("REPORT");
      seen += 1;
      if (seen === reports.length) await stage.run("invoke");
      if (seen > reports.length && !following.killed) following.kill("SIGINT");
    }
    expect(seen).toBe(reports.length + 1);
    expect((await following).exitCode).toBe(exitCodes.done);
  });
});

describe("verify", () => {
  it("finds nothing wrong, then the one thing that is", async () => {
    const good = await stage.run("verify");
    expect(good.stdout).not.toContain("NG");
    expect(good.exitCode).toBe(exitCodes.done);
    await putTag("0123456789ab");
    const bad = await stage.run("verify", "--for", "deploy", "--json");
    const { checks } = JSON.parse(bad.stdout);
    const wrong = checks.filter(({ verdict }: { verdict: string }) => verdict === "NG");
    // Who deploys may not log in to the registry.
    expect(checks).toContainEqual(expect.objectContaining({ name: "statements", verdict: "SKIP" }));
    expect(wrong).toEqual([
      expect.objectContaining({
        name: "published image",
        detail: expect.stringContaining("E_PUBLISHED_IMAGE_MISSING"),
      }),
    ]);
    expect(bad.exitCode).toBe(exitCodes.failed);
    await stage.run("rollback", "--to", tags[2] ?? "");
  });
});

describe("prune", () => {
  it("removes what nothing needs, as it said it would", async () => {
    const plan = await stage.run("prune", "--keep", "1", "--dry-run", "--json");
    expect(await findDigest(tags[1])).toBeDefined();
    const done = await stage.run("prune", "--keep", "1", "--json");
    expect(JSON.parse(done.stdout)).toEqual({ ...JSON.parse(plan.stdout), dryRun: false });
    expect(await Promise.all(tags.map(findDigest))).toEqual([undefined, undefined, await readLive()]);
    expect((await stage.run("invoke")).stdout).toContain("three");
    expect((await stage.run("prune", "--keep", "1")).stdout).toContain("removed 0 images and 0 versions");
    expect((await stage.run("prune", "--keep", "0")).stderr).toContain("E_USAGE");
  });
});

async function putTag(value: string): Promise<void> {
  const { imageTagParameter: Name } = stage.fn("local");
  await stage.clients.ssm.send(
    new PutParameterCommand({ Name, Type: "String", Value: value, Overwrite: true }),
  );
}
