import { refuseOthers, ServiceException } from "../service.ts";
import { computeStatistic, groupByPeriod, type Metric, type Point } from "./metrics.ts";

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** What an alarm watches, in the shapes of the API. */
export interface AlarmSettings extends Metric {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly ActionsEnabled?: boolean;
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
  readonly Statistic?: string;
  readonly ExtendedStatistic?: string;
  /** Seconds. */
  readonly Period: number;
  readonly EvaluationPeriods: number;
  /** @default EvaluationPeriods */
  readonly DatapointsToAlarm?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: keyof typeof comparisons;
  /** @default "missing" */
  readonly TreatMissingData?: "breaching" | "notBreaching" | "ignore" | "missing";
  readonly Unit?: string;
}

export interface Alarm {
  readonly settings: AlarmSettings;
  readonly state: { readonly value: AlarmState; readonly reason: string; readonly changedMs: number };
  /** Until when a state that was set from outside holds. Epoch milliseconds. */
  readonly heldUntilMs?: number;
}

const comparisons = {
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number) => value <= threshold,
};

const covered: readonly (keyof AlarmSettings)[] = [
  "AlarmName",
  "AlarmDescription",
  "ActionsEnabled",
  "AlarmActions",
  "OKActions",
  "InsufficientDataActions",
  "Namespace",
  "MetricName",
  "Dimensions",
  "Statistic",
  "ExtendedStatistic",
  "Period",
  "EvaluationPeriods",
  "DatapointsToAlarm",
  "Threshold",
  "ComparisonOperator",
  "TreatMissingData",
  "Unit",
];

const numbers = ["Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"] as const;

/** @throws ServiceException for what is missing, and for what is not covered: metric math, anomalies */
export function parseAlarmSettings({ Tags: _tags, ...input }: Record<string, unknown>): AlarmSettings {
  refuseOthers("PutMetricAlarm", input, covered);
  const given = numbers.filter((member) => input[member] !== undefined);
  const settings = {
    ...input,
    // Text, where the request comes as a form or from a template.
    ...Object.fromEntries(given.map((member) => [member, Number(input[member])])),
  } as unknown as AlarmSettings;
  const needed = [
    "AlarmName",
    "Namespace",
    "MetricName",
    "Period",
    "EvaluationPeriods",
    "Threshold",
  ] as const;
  for (const member of needed) {
    if (settings[member] === undefined) {
      throw new ServiceException("ValidationError", `The parameter ${member} is required for an alarm here.`);
    }
  }
  if (!Object.hasOwn(comparisons, settings.ComparisonOperator)) {
    throw new ServiceException(
      "ValidationError",
      `local-aws: cloudwatch has no comparison ${settings.ComparisonOperator}, only ${Object.keys(comparisons).join(", ")}`,
    );
  }
  return settings;
}

/**
 * What the alarm's state is by its metric's points: it alarms when enough of the last periods are over the threshold.
 * The period that is under way counts, so that an alarm shows at once what on AWS it shows within a minute.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
 */
export function evaluateAlarm(
  settings: AlarmSettings,
  points: readonly Point[],
  nowMs: number,
): { value: AlarmState; reason: string } | undefined {
  const { EvaluationPeriods, Threshold, ComparisonOperator, TreatMissingData = "missing" } = settings;
  const { DatapointsToAlarm = EvaluationPeriods, Statistic, ExtendedStatistic } = settings;
  const periodMs = settings.Period * 1000;
  const endMs = (Math.floor(nowMs / periodMs) + 1) * periodMs;
  const periods = groupByPeriod(points, endMs - EvaluationPeriods * periodMs, endMs, periodMs);
  const data = periods.map(({ values }) =>
    computeStatistic(Statistic ?? ExtendedStatistic ?? "Average", values),
  );
  const missing = EvaluationPeriods - data.length;
  if (data.length === 0 && (TreatMissingData === "missing" || TreatMissingData === "ignore")) {
    if (TreatMissingData === "ignore") return undefined;
    return { value: "INSUFFICIENT_DATA", reason: "Insufficient Data: no datapoints were received." };
  }
  const breaching =
    data.filter((value) => comparisons[ComparisonOperator](value, Threshold)).length +
    (TreatMissingData === "breaching" ? missing : 0);
  const shown = `${breaching} of ${EvaluationPeriods} datapoints [${data.join(", ")}] were ${ComparisonOperator} (${Threshold})`;
  return {
    value: breaching >= DatapointsToAlarm ? "ALARM" : "OK",
    reason: `Threshold evaluation: ${shown}.`,
  };
}
