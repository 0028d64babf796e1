import { findImage, findLiveConfiguration, readPublishedTag } from "@workspace/handoff";
import { exitCodes } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalStage, openLocalStage } from "../testing/local-stage.ts";
import { buildHandler, handlerPath } from "../testing/scratch-checkout.ts";

let stage: LocalStage;
let tag: string;
beforeAll(async () => {
  stage = await openLocalStage();
  for (const name of ["dev", "prod"]) {
    await stage.createRepository(stage.fn(name));
    await stage.createFunction(stage.fn(name));
  }
  stage.checkout.write(handlerPath, buildHandler(200, "one"));
  tag = stage.checkout.commit("feat: one");
});
afterAll(() => stage?.close());

const promote = ["promote", "--from", "dev", "--to", "prod"] as const;
const readTag = () => readPublishedTag(stage.clients, stage.fn("prod"));

describe("promote", () => {
  it("has nothing to promote before the first release", async () => {
    const { stderr, exitCode } = await stage.start({ STAGE: "prod" }, ...promote);
    expect(stderr).toContain("E_NOTHING_TO_PROMOTE");
    expect(exitCode).toBe(exitCodes.failed);
  });

  it("makes live and publishes the very image, with no container CLI", async () => {
    expect((await stage.start({ STAGE: "dev" }, "release")).exitCode).toBe(exitCodes.done);
    const environment = { STAGE: "prod", CDK_DOCKER: "/no/such/cli" };
    const plan = await stage.start(environment, ...promote, "--dry-run");
    expect(plan.stdout).toContain(`would make ${tag} live`);
    expect(await readTag()).toBeUndefined();

    const ended = await stage.start(environment, ...promote, "--json");
    const value = JSON.parse(ended.stdout);
    expect(value).toMatchObject({ tag, from: "dev", to: "prod", image: "copied", live: { kind: "moved" } });
    const source = await findImage(stage.clients, stage.fn("dev"), tag);
    const target = await findImage(stage.clients, stage.fn("prod"), tag);
    expect(target?.digest).toBe(source?.digest);
    expect(target?.tags.toSorted()).toEqual(source?.tags.toSorted());
    expect((await findLiveConfiguration(stage.clients, stage.fn("prod")))?.digest).toBe(source?.digest);
    expect(await readTag()).toBe(tag);

    const attached = await Promise.all(
      ["dev", "prod"].map((name) => stage.listReferrers(stage.fn(name), tag)),
    );
    expect(attached[0]).toHaveLength(2);
    expect(attached[1]).toEqual(attached[0]);
  });

  it("moves nothing again", async () => {
    const { stdout } = await stage.start({ STAGE: "prod" }, ...promote, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ image: "none", live: { kind: "unchanged" } });
  });

  it("takes only what is of the commit that was agreed on, or of one before it", async () => {
    const agreed = stage.checkout.commit("docs: what was agreed on");
    const ended = await stage.start({ STAGE: "prod" }, ...promote, "--commit", agreed, "--json");
    expect(JSON.parse(ended.stdout)).toMatchObject({ tag });

    stage.checkout.write(handlerPath, buildHandler(200, "two"));
    stage.checkout.commit("feat: two");
    expect((await stage.start({ STAGE: "dev" }, "release")).exitCode).toBe(exitCodes.done);
    for (const [commit, reason] of [
      [agreed, "neither of"],
      ["0123456789ab", "Git doesn't know"],
    ] as const) {
      const refused = await stage.start({ STAGE: "prod" }, ...promote, "--commit", commit);
      expect(refused.stderr).toMatch(new RegExp(`E_TAG_NOT_OF_COMMIT: .*${reason}`));
      expect(refused.exitCode).toBe(exitCodes.failed);
    }
    expect(await readTag()).toBe(tag);
  });

  it("takes what is in no commit only where that is said", async () => {
    stage.checkout.write(handlerPath, buildHandler(200, "dirty"));
    await stage.start({ STAGE: "dev" }, "release", "--allow-dirty");
    const refused = await stage.start({ STAGE: "prod" }, ...promote);
    expect(refused.stderr).toContain("E_TAG_DIRTY");
    expect(await readTag()).toBe(tag);

    expect((await stage.start({ STAGE: "prod" }, ...promote, "--allow-dirty")).exitCode).toBe(exitCodes.done);
    expect(await readTag()).toMatch(/-dirty-/);
  });

  it.each([
    [{ STAGE: "dev" }, promote, "E_STAGE_AMBIGUOUS"],
    [{ STAGE: "prod" }, ["promote", "--from", "prod", "--to", "prod"], "E_USAGE"],
    [{ STAGE: "prod" }, ["promote", "--from", "nowhere", "--to", "prod"], "E_STAGE_UNKNOWN"],
  ] as const)("with %j refuses %j as %s", async (environment, [command, ...argv], code) => {
    const { stderr, exitCode } = await stage.start(environment, command, ...argv);
    expect(stderr).toContain(code);
    expect(exitCode).toBe(exitCodes.failed);
  });
});
