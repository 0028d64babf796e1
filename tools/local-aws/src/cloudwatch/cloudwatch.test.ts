import { randomUUID } from "node:crypto";
import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRegistry } from "../testing/push-image.ts";
import { buildRuntimeScript } from "../testing/runtime-script.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { waitUntil } from "../testing/wait-until.ts";

let server: TestServer;
let cloudwatch: CloudWatchClient;
beforeAll(async () => {
  server = await startTestServer();
  cloudwatch = new CloudWatchClient(server.clientConfig);
});
afterAll(() => server?.stop());

const minuteMs = 60_000;
const metric = () => ({ Namespace: "Test", MetricName: `metric-${randomUUID()}` });
type Named = ReturnType<typeof metric> & { Dimensions?: { Name: string; Value: string }[] };

const put = ({ Namespace, ...named }: Named, Value: number, Timestamp?: Date) =>
  cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData: [{ ...named, Value, Timestamp }] }));

async function read(Metric: Named, Stat: string, from: number, to: number): Promise<[number, number][]> {
  const { MetricDataResults } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(from),
      EndTime: new Date(to),
      ScanBy: "TimestampAscending",
      MetricDataQueries: [{ Id: "q", MetricStat: { Metric, Period: 60, Stat } }],
    }),
  );
  const { Timestamps = [], Values = [] } = MetricDataResults?.[0] ?? {};
  return Timestamps.map((time, index) => [time.getTime(), Values[index] ?? Number.NaN]);
}

describe("metrics", () => {
  const start = Date.UTC(2026, 10, 25, 8);

  it("are added up by period, each set of dimensions for itself", async () => {
    const named = metric();
    const withOne = { ...named, Dimensions: [{ Name: "a", Value: "1" }] };
    await put(named, 1, new Date(start));
    await put(named, 2, new Date(start + 59_999));
    await put(named, 4, new Date(start + minuteMs));
    await put(withOne, 100, new Date(start));
    expect(await read(named, "Sum", start, start + 2 * minuteMs)).toEqual([
      [start, 3],
      [start + minuteMs, 4],
    ]);
    expect(await read(named, "Average", start, start + minuteMs)).toEqual([[start, 1.5]]);
    expect(await read(withOne, "SampleCount", start, start + minuteMs)).toEqual([[start, 1]]);
  });

  it("have statistics, and are listed", async () => {
    const named = metric();
    for (const value of [1, 2, 3, 10]) await put(named, value, new Date(start));
    const { Datapoints } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        ...named,
        StartTime: new Date(start),
        EndTime: new Date(start + minuteMs),
        Period: 60,
        Statistics: ["Minimum", "Maximum", "Sum"],
        ExtendedStatistics: ["p50"],
      }),
    );
    expect(Datapoints).toMatchObject([{ Minimum: 1, Maximum: 10, Sum: 16, ExtendedStatistics: { p50: 2 } }]);
    const { Metrics } = await cloudwatch.send(new ListMetricsCommand(named));
    expect(Metrics).toEqual([{ ...named, Dimensions: [] }]);
  });

  it("are there after the server was killed", async () => {
    const named = metric();
    await put(named, 7, new Date(start));
    await server.restart("SIGKILL");
    expect(await read(named, "Sum", start, start + minuteMs)).toEqual([[start, 7]]);
  });
});

describe("an alarm", () => {
  async function createAlarm(named: Named): Promise<() => Promise<string | undefined>> {
    const AlarmName = `alarm-${randomUUID()}`;
    await cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        ...named,
        Statistic: "Sum",
        Period: 3600,
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
      }),
    );
    return async () => {
      const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
      expect(MetricAlarms?.[0]?.AlarmName).toBe(AlarmName);
      return MetricAlarms?.[0]?.StateValue;
    };
  }

  it("follows its metric", async () => {
    const named = metric();
    const readState = await createAlarm(named);
    expect(await readState()).toBe("INSUFFICIENT_DATA");
    await put(named, 0);
    expect(await readState()).toBe("OK");
    await put(named, 1);
    expect(await readState()).toBe("ALARM");
  });

  it("holds a state that was set for it, and goes when it is deleted", async () => {
    const named = metric();
    await createAlarm(named);
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({}));
    const AlarmName = MetricAlarms.find(({ MetricName }) => MetricName === named.MetricName)?.AlarmName ?? "";
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "drill" }));
    await put(named, 0);
    const find = async () =>
      (await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }))).MetricAlarms;
    expect(await find()).toMatchObject([{ StateValue: "ALARM", StateReason: "drill" }]);
    await cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] }));
    expect(await find()).toEqual([]);
  });
});

it("Lambda counts invocations and errors, by function, alias and version", async () => {
  const lambda = new LambdaClient(server.clientConfig);
  const registry = await openRegistry(server);
  await registry.createRepository("app");
  const content = buildRuntimeScript("if (event.fail) throw new Error('no'); return 1;");
  await registry.pushImage("app", "one", {
    layers: [[{ name: "runtime", content, mode: 0o755 }]],
    config: { Entrypoint: ["/runtime"] },
  });
  const FunctionName = "counted";
  const Code = { ImageUri: `${server.host}/app:one` };
  const Role = "arn:aws:iam::000000000000:role/app";
  await lambda.send(
    new CreateFunctionCommand({ FunctionName, Role, PackageType: "Image", Code, Timeout: 60 }),
  );
  const waiting = { client: lambda, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
  await waitUntilFunctionActiveV2(waiting, { FunctionName });
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await waitUntilFunctionActiveV2(waiting, { FunctionName, Qualifier: "1" });
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  for (const fail of [true, false]) {
    const Payload = JSON.stringify({ fail });
    await lambda.send(new InvokeCommand({ FunctionName, Qualifier: "live", Payload }));
  }
  await lambda.send(new InvokeCommand({ FunctionName }));
  const total = async (MetricName: string, ...dimensions: [string, string][]) => {
    const Dimensions = [["FunctionName", FunctionName], ...dimensions].map(([Name = "", Value = ""]) => ({
      Name,
      Value,
    }));
    const named = { Namespace: "AWS/Lambda", MetricName, Dimensions };
    const counts = await read(named, "Sum", Date.now() - 60 * minuteMs, Date.now() + minuteMs);
    return counts.reduce((sum, [, value]) => sum + value, 0);
  };
  await waitUntil(async () => ((await total("Invocations")) === 3 ? true : undefined));
  expect(await total("Invocations", ["Resource", "counted:live"])).toBe(2);
  expect(await total("Errors", ["Resource", "counted:live"], ["ExecutedVersion", "1"])).toBe(1);
  expect(await total("Errors", ["Resource", "counted"])).toBe(0);
  expect(await total("Duration")).toBeGreaterThan(0);
});
