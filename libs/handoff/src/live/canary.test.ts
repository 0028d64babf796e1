import { CloudWatchClient, type MetricDataResult } from "@aws-sdk/client-cloudwatch";
import { parseFunction, stages } from "@workspace/shared-config";
import { expect, it } from "vitest";
import { buildTestClients } from "../testing/local-aws.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { bake } from "./canary.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const complete: MetricDataResult = { Id: "errors", StatusCode: "Complete", Values: [] };

/** Ten seconds of a canary whose metrics are read as these, one after the other. */
async function bakeWith(...answers: readonly MetricDataResult[][]): Promise<void> {
  const left = [...answers];
  const cloudwatch = new CloudWatchClient({ region: "eu-central-1" });
  cloudwatch.send = async () => ({ MetricDataResults: left.shift() });
  const clients = { ...buildTestClients("http://127.0.0.1:9"), cloudwatch, clock: createManualClock() };
  const lease = { signal: new AbortController().signal, check: async () => {}, guard: Promise.reject };
  await bake(clients, fn, lease, "7", { percent: 10, bakeMs: 10_000 }, () => {});
}

it("is content where no metric says that the version has failed", async () => {
  await bakeWith([complete], [{ ...complete, Values: [0] }]);
});

it("goes on after an answer that says nothing, since the next one says it all", async () => {
  await bakeWith([{ ...complete, StatusCode: "InternalError" }], [complete]);
  const failed = bakeWith([{ ...complete, StatusCode: "InternalError" }], [{ ...complete, Values: [1] }]);
  await expect(failed).rejects.toMatchObject({ code: "E_CANARY_FAILED" });
});

it("fails with the errors that the version had", async () => {
  await expect(bakeWith([complete], [{ ...complete, Values: [1, 2] }])).rejects.toMatchObject({
    code: "E_CANARY_FAILED",
    value: "3 errors",
  });
});

it.each<[string, MetricDataResult[]]>([
  ["nothing", []],
  ["a refusal", [{ ...complete, StatusCode: "Forbidden" }]],
  ["a failure of its own", [{ ...complete, StatusCode: "InternalError" }]],
  ["a part", [{ ...complete, StatusCode: "PartialData", Values: [0] }]],
])("does not take %s at the end for no errors", async (_what, answer) => {
  await expect(bakeWith([complete], answer)).rejects.toMatchObject({ code: "E_CANARY_UNREADABLE" });
});
