import { PutParameterCommand, type PutParameterCommandInput } from "@aws-sdk/client-ssm";
import { exitCodes, parseFunction, parseImageTag, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { withLease } from "../lease/lease.ts";
import { buildAwsError, intercept } from "../testing/intercept.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { publishTag, readPublishedHistory, readPublishedTag } from "./published-tag.ts";

let localAws: LocalAws;
let clients: HandoffClients;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
});
afterAll(() => localAws?.close());

const dev = parseFunction("lambda-app", stages.dev, "x86_64");
const ours = parseImageTag("aaaaaaaaaaaa");
const theirs = parseImageTag("bbbbbbbbbbbb");
let tests = 0;
/** Each test has a parameter of its own. */
const newFunction = () => ({ ...dev, imageTagParameter: `/test-${++tests}/image-tag` });
type TestFunction = ReturnType<typeof newFunction>;

const writeByHand = ({ imageTagParameter: Name }: TestFunction, Value: string) =>
  clients.ssm.send(new PutParameterCommand({ Name, Value, Type: "String", Overwrite: true }));
const publishOurs = (through: HandoffClients, fn: TestFunction) =>
  withLease(through, fn, { command: "release" }, (lease) => publishTag(through, fn, lease, ours, "release"));

describe("publishTag", () => {
  it("publishes what comes after what was there, and once more does nothing", async () => {
    const fn = newFunction();
    expect(await publishOurs(clients, fn)).toBe(1);
    await writeByHand(fn, theirs);
    expect(await publishOurs(clients, fn)).toBe(3);
    expect(await publishOurs(clients, fn)).toBe(3);
    expect(await readPublishedTag(clients, fn)).toBe(ours);
  });

  it.each([0, 1])(
    "fails where something else writes between read and write, after %d versions",
    async (versions) => {
      const fn = newFunction();
      if (versions > 0) await writeByHand(fn, "cccccccccccc");
      const through = localAws.buildClients();
      intercept(through.ssm, PutParameterCommand, async (send, { Name }: PutParameterCommandInput) => {
        if (Name === fn.imageTagParameter) await writeByHand(fn, theirs);
        return send();
      });
      const error = await publishOurs(through, fn).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "E_TAG_RACE", exitCode: exitCodes.drift });
      expect(error).toHaveProperty("value", expect.arrayContaining([`${versions + 1}: ${theirs}`]));
    },
  );

  it("believes the history rather than an answer that got lost", async () => {
    const fn = newFunction();
    const through = localAws.buildClients();
    intercept(through.ssm, PutParameterCommand, async (send, { Name }: PutParameterCommandInput) => {
      const answer = await send();
      if (Name === fn.imageTagParameter) throw buildAwsError("TimeoutError");
      return answer;
    });
    expect(await publishOurs(through, fn)).toBe(1);
  });

  it("fails with what SSM says where nothing was written", async () => {
    const fn = newFunction();
    const through = localAws.buildClients();
    intercept(through.ssm, PutParameterCommand, (send, { Name }: PutParameterCommandInput) =>
      Name === fn.imageTagParameter ? Promise.reject(buildAwsError("AccessDeniedException")) : send(),
    );
    await expect(publishOurs(through, fn)).rejects.toThrow("AccessDeniedException");
  });
});

it("readPublishedHistory reads to the last page, and leaves out what is no tag", async () => {
  const fn = newFunction();
  const tags = Array.from({ length: 60 }, (_, index) => parseImageTag(String(index).padStart(12, "0")));
  await writeByHand(fn, "latest");
  for (const tag of tags) await writeByHand(fn, tag);
  expect((await readPublishedHistory(clients, fn)).map(({ tag }) => tag)).toEqual(tags);
});
