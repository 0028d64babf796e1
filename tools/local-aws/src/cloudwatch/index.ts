import { type Service, type ServiceContext, ServiceException } from "../service.ts";

interface Point {
  readonly MetricName: string;
  readonly Dimensions: Readonly<Record<string, string>>;
  readonly Timestamp: number;
  readonly Value: number;
}

interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

interface Alarm {
  readonly AlarmName: string;
  readonly StateValue: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  readonly StateReason: string;
}

const keptPoints = 20_000;

/** Metrics as they were put, and alarms whose state is set from outside. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const points: Point[] = [];

  const values = (
    MetricName: string,
    dimensions: readonly Dimension[] = [],
    from = 0,
    to = Number.POSITIVE_INFINITY,
  ) =>
    points.filter(
      (point) =>
        point.MetricName === MetricName &&
        point.Timestamp >= from &&
        point.Timestamp < to &&
        Object.keys(point.Dimensions).length === dimensions.length &&
        dimensions.every(({ Name, Value }) => point.Dimensions[Name] === Value),
    );

  const statistic = (name: string, found: readonly Point[]) => {
    const sum = found.reduce((total, { Value }) => total + Value, 0);
    if (name === "Sum") return sum;
    if (name === "SampleCount") return found.length;
    if (name === "Average") return sum / found.length;
    if (name === "Maximum") return Math.max(...found.map(({ Value }) => Value));
    if (name === "Minimum") return Math.min(...found.map(({ Value }) => Value));
    throw new ServiceException("InvalidParameterValue", `local-aws: the statistic ${name} is not covered`);
  };

  return {
    operations: {
      async PutMetricData({ MetricData }) {
        for (const { MetricName, Dimensions = [], Value, Timestamp } of MetricData) {
          const named = Object.fromEntries(
            Dimensions.map(({ Name, Value: value }: Dimension) => [Name, value]),
          );
          points.push({
            MetricName,
            Dimensions: named,
            Value,
            Timestamp: Timestamp === undefined ? now() : Timestamp * 1000,
          });
        }
        points.splice(0, Math.max(0, points.length - keptPoints));
        return {};
      },
      async GetMetricData({ MetricDataQueries, StartTime, EndTime }) {
        return {
          MetricDataResults: MetricDataQueries.map(
            ({
              Id,
              MetricStat,
            }: {
              Id: string;
              MetricStat: { Metric: { MetricName: string; Dimensions: Dimension[] }; Stat: string };
            }) => {
              const found = values(
                MetricStat.Metric.MetricName,
                MetricStat.Metric.Dimensions,
                StartTime * 1000,
                EndTime * 1000 + 1000,
              );
              const Values = found.length === 0 ? [] : [statistic(MetricStat.Stat, found)];
              return {
                Id,
                Label: Id,
                StatusCode: "Complete",
                Values,
                Timestamps: Values.map(() => new Date(StartTime * 1000)),
              };
            },
          ),
        };
      },
      async PutMetricAlarm({ AlarmName, ...settings }) {
        const state = store.get<Alarm>(`alarm ${AlarmName}`);
        const fresh = { StateValue: "INSUFFICIENT_DATA", StateReason: "Unchecked: Initial alarm creation" };
        store.put(`alarm ${AlarmName}`, {
          ...settings,
          AlarmName,
          StateValue: state?.StateValue ?? fresh.StateValue,
          StateReason: state?.StateReason ?? fresh.StateReason,
        });
        return {};
      },
      async SetAlarmState({ AlarmName, StateValue, StateReason }) {
        const alarm = store.get<Alarm>(`alarm ${AlarmName}`);
        if (alarm === undefined)
          throw new ServiceException("ResourceNotFound", `The alarm ${AlarmName} does not exist`, 404);
        store.put(`alarm ${AlarmName}`, { ...alarm, StateValue, StateReason });
        return {};
      },
      async DescribeAlarms({ AlarmNames }) {
        const all = store.keys("alarm ").flatMap((key) => store.get<Alarm>(key) ?? []);
        const MetricAlarms = all
          .filter(({ AlarmName }) => AlarmNames === undefined || AlarmNames.includes(AlarmName))
          .map((alarm) => ({
            ...alarm,
            AlarmArn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarm.AlarmName}`,
          }));
        return { MetricAlarms, CompositeAlarms: [] };
      },
      async DeleteAlarms({ AlarmNames }) {
        for (const name of AlarmNames) store.delete(`alarm ${name}`);
        return {};
      },
    },
  };
}
