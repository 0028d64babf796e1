import { join } from "node:path";
import { openJournal } from "../journal/journal.ts";
import { takePage } from "../paging.ts";
import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { type Alarm, type AlarmState, evaluateAlarm, parseAlarmSettings } from "./alarms.ts";
import {
  buildMetricKey,
  computeStatistic,
  type Dimension,
  groupByPeriod,
  type Metric,
  type Period,
  type Point,
  parseTime,
} from "./metrics.ts";

/** How many values are kept, of all metrics together. */
const keptPoints = 50_000;

interface Datum {
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
  readonly Timestamp?: Date | number | string;
  readonly Value?: number | string;
}

interface MetricDataQuery {
  readonly Id: string;
  readonly Label?: string;
  readonly MetricStat?: { readonly Metric: Metric; readonly Period: number | string; readonly Stat: string };
}

/** Metrics as they were put, and alarms that watch them. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const journal = openJournal<Point>(join(store.directory, "points.jsonl"), keptPoints);
  const alarmKey = (name: string) => `alarm ${name}`;

  const pointsOf = (metric: Metric) => {
    const key = buildMetricKey(metric);
    return journal.entries.filter((point) => point.metric === key);
  };

  function readPeriods(
    metric: Metric,
    { StartTime, EndTime, Period }: { StartTime: string; EndTime: string; Period: number | string },
  ): Period[] {
    return groupByPeriod(pointsOf(metric), parseTime(StartTime), parseTime(EndTime), Number(Period) * 1000);
  }

  function mustFindAlarm(name: string): Alarm {
    const alarm = store.get<Alarm>(alarmKey(name));
    if (alarm === undefined) throw new ServiceException("ResourceNotFound", `Unknown alarm: ${name}`, 404);
    return alarm;
  }

  function putState(alarm: Alarm, value: AlarmState, reason: string, heldUntilMs?: number): Alarm {
    const changedMs = value === alarm.state.value ? alarm.state.changedMs : now();
    const changed = { settings: alarm.settings, state: { value, reason, changedMs }, heldUntilMs };
    store.put(alarmKey(alarm.settings.AlarmName), changed);
    return changed;
  }

  /** The alarm with the state that its metric gives it now. */
  function evaluate(alarm: Alarm): Alarm {
    if (alarm.heldUntilMs !== undefined && now() < alarm.heldUntilMs) return alarm;
    const found = evaluateAlarm(alarm.settings, pointsOf(alarm.settings), now());
    return found === undefined ? alarm : putState(alarm, found.value, found.reason);
  }

  const describe = ({ settings, state }: Alarm) => ({
    ...settings,
    AlarmArn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${settings.AlarmName}`,
    StateValue: state.value,
    StateReason: state.reason,
    StateUpdatedTimestamp: new Date(state.changedMs),
  });

  return {
    operations: {
      async PutMetricData({ Namespace, MetricData }) {
        const points = (MetricData as Datum[]).map(({ MetricName, Dimensions, Timestamp, Value }) => {
          if (Value === undefined) {
            throw new ServiceException(
              "InvalidParameterValue",
              `local-aws: cloudwatch takes a Value for each datum; ${MetricName} has none`,
            );
          }
          const atMs = Timestamp === undefined ? now() : parseTime(Timestamp);
          return {
            metric: buildMetricKey({ Namespace, MetricName, Dimensions }),
            atMs,
            value: Number(Value),
          };
        });
        journal.append(points);
        return {};
      },

      async GetMetricData({ MetricDataQueries, StartTime, EndTime, ScanBy = "TimestampDescending" }) {
        const MetricDataResults = (MetricDataQueries as MetricDataQuery[]).map(
          ({ Id, Label, MetricStat }) => {
            if (MetricStat === undefined) {
              throw new ServiceException(
                "ValidationError",
                `local-aws: cloudwatch has no expressions, and ${Id} is one`,
              );
            }
            const { Metric, Period, Stat } = MetricStat;
            const periods = readPeriods(Metric, { StartTime, EndTime, Period });
            if (ScanBy === "TimestampDescending") periods.reverse();
            return {
              Id,
              Label: Label ?? Metric.MetricName,
              StatusCode: "Complete",
              Timestamps: periods.map(({ startMs }) => new Date(startMs)),
              Values: periods.map(({ values }) => computeStatistic(Stat, values)),
            };
          },
        );
        return { MetricDataResults, Messages: [] };
      },

      async GetMetricStatistics({
        Namespace,
        MetricName,
        Dimensions,
        Statistics,
        ExtendedStatistics,
        ...range
      }) {
        const periods = readPeriods({ Namespace, MetricName, Dimensions }, range);
        const compute = (names: readonly string[], values: readonly number[]) =>
          Object.fromEntries(names.map((name) => [name, computeStatistic(name, values)]));
        const Datapoints = periods.map(({ startMs, values }) => ({
          Timestamp: new Date(startMs),
          ...compute(Statistics ?? [], values),
          ...(ExtendedStatistics && { ExtendedStatistics: compute(ExtendedStatistics, values) }),
        }));
        return { Label: MetricName, Datapoints };
      },

      async ListMetrics({ Namespace, MetricName }) {
        const keys = [...new Set(journal.entries.map(({ metric }) => metric))];
        const all = keys.map((key) => {
          const [namespace, name, ...dimensions] = JSON.parse(key) as string[];
          const Dimensions = dimensions.map((text) => {
            const [Name, ...rest] = text.split("=");
            return { Name, Value: rest.join("=") };
          });
          return { Namespace: namespace, MetricName: name, Dimensions };
        });
        const isWanted = (metric: { Namespace?: string; MetricName?: string }) =>
          (Namespace === undefined || metric.Namespace === Namespace) &&
          (MetricName === undefined || metric.MetricName === MetricName);
        return { Metrics: all.filter(isWanted) };
      },

      async PutMetricAlarm(input) {
        const settings = parseAlarmSettings(input);
        const state = store.get<Alarm>(alarmKey(settings.AlarmName))?.state ?? {
          value: "INSUFFICIENT_DATA",
          reason: "Unchecked: Initial alarm creation",
          changedMs: now(),
        };
        store.put(alarmKey(settings.AlarmName), { settings, state } satisfies Alarm);
        return {};
      },

      async DescribeAlarms({ AlarmNames, AlarmNamePrefix = "", StateValue, MaxRecords = 50, NextToken }) {
        const alarms = store
          .keys(alarmKey(AlarmNamePrefix))
          .flatMap((key) => store.get<Alarm>(key) ?? [])
          .filter(({ settings }) => AlarmNames?.includes(settings.AlarmName) ?? true)
          .map(evaluate)
          .filter(({ state }) => StateValue === undefined || state.value === StateValue);
        const page = takePage(alarms, Number(MaxRecords), NextToken);
        return { MetricAlarms: page.items.map(describe), CompositeAlarms: [], NextToken: page.nextToken };
      },

      /** On AWS the state holds until the metric is evaluated again; here for one of the alarm's periods. */
      async SetAlarmState({ AlarmName, StateValue, StateReason }) {
        const alarm = mustFindAlarm(AlarmName);
        putState(alarm, StateValue, StateReason, now() + Number(alarm.settings.Period) * 1000);
        return {};
      },

      async DeleteAlarms({ AlarmNames }) {
        for (const name of AlarmNames) store.delete(alarmKey(name));
        return {};
      },
    },
  };
}
