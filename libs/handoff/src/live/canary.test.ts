import {
  type AlarmType,
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricDataQuery,
  type MetricDataResult,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import { parseFunction, stages } from "@workspace/shared-config";
import { describe, expect, it } from "vitest";
import { buildTestClients } from "../testing/local-aws.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { bake } from "./canary.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");
const complete: MetricDataResult = { Id: "errors", StatusCode: "Complete", Values: [] };

interface Watched {
  /** What the metrics are read as, one answer after the other. */
  readonly metrics: readonly MetricDataResult[][];
  /** The alarms that there are, by name. @default none */
  readonly alarms?: Readonly<Record<string, { readonly type: AlarmType; readonly state: StateValue }>>;
  /** @default undefined: no alarm is watched */
  readonly alarmName?: string;
}

/** Ten seconds of a canary of version 7. @returns the queries of metrics that were sent */
async function watch({ metrics, alarms = {}, alarmName }: Watched): Promise<MetricDataQuery[]> {
  const left = [...metrics];
  const queries: MetricDataQuery[] = [];
  const cloudwatch = new CloudWatchClient({ region: "eu-central-1" });
  cloudwatch.send = async (command: unknown) => {
    if (command instanceof GetMetricDataCommand) {
      queries.push(...(command.input.MetricDataQueries ?? []));
      return { MetricDataResults: left.shift() };
    }
    if (!(command instanceof DescribeAlarmsCommand))
      throw new Error("neither metrics nor alarms were asked for");
    // As CloudWatch does: all names where none is given, and alarms of metrics where no type is.
    const { AlarmNames: names = Object.keys(alarms), AlarmTypes: types = ["MetricAlarm"] } = command.input;
    const list = (wanted: AlarmType) =>
      Object.entries(alarms)
        .filter(([name, { type }]) => type === wanted && names.includes(name) && types.includes(type))
        .map(([AlarmName, { state }]) => ({ AlarmName, StateValue: state }));
    return { MetricAlarms: list("MetricAlarm"), CompositeAlarms: list("CompositeAlarm") };
  };
  const clients = { ...buildTestClients("http://127.0.0.1:9"), cloudwatch, clock: createManualClock() };
  const lease = { signal: new AbortController().signal, check: async () => {}, guard: Promise.reject };
  await bake(clients, fn, lease, "7", { percent: 10, bakeMs: 10_000, alarmName }, () => {});
  return queries;
}

const bakeWith = (...metrics: readonly MetricDataResult[][]) => watch({ metrics });

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

it("asks for the errors of this version alone, not for those of the one before it", async () => {
  const queries = await bakeWith([complete], [complete]);
  expect(queries).toHaveLength(2);
  for (const { MetricStat } of queries) {
    expect(MetricStat?.Metric?.Dimensions).toEqual([
      { Name: "FunctionName", Value: "lambda-app-dev" },
      { Name: "Resource", Value: "lambda-app-dev:live" },
      { Name: "ExecutedVersion", Value: "7" },
    ]);
  }
});

describe("the alarm that it is given", () => {
  const metrics = [[complete], [complete]];
  const others = { other: { type: "MetricAlarm", state: "ALARM" } } as const;

  it.each(["MetricAlarm", "CompositeAlarm"] as const)("fails it when it goes off, as a %s", async (type) => {
    const watchIn = (state: StateValue) =>
      watch({ metrics, alarmName: "ours", alarms: { ...others, ours: { type, state } } });
    await watchIn("OK");
    await expect(watchIn("ALARM")).rejects.toMatchObject({ code: "E_CANARY_FAILED" });
  });

  it("has to be there", async () => {
    await expect(watch({ metrics, alarmName: "ours", alarms: others })).rejects.toMatchObject({
      code: "E_ALARM_MISSING",
      value: "ours",
    });
  });
});
