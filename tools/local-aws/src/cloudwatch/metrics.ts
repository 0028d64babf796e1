import { ServiceException } from "../service.ts";

export interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

export interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly Dimension[];
}

/** One value, under its metric's key. */
export interface Point {
  readonly metric: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly value: number;
}

/** The same for the same metric, in whatever order its dimensions come. */
export function buildMetricKey({ Namespace, MetricName, Dimensions = [] }: Metric): string {
  const dimensions = Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  return JSON.stringify([Namespace, MetricName, ...dimensions]);
}

/** What the values of a period come to: `Sum`, `Average`, `p99` … @throws ServiceException */
export function computeStatistic(statistic: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (statistic) {
    case "Sum":
      return sum;
    case "SampleCount":
      return values.length;
    case "Average":
      return sum / values.length;
    case "Minimum":
      return Math.min(...values);
    case "Maximum":
      return Math.max(...values);
    default: {
      const percent = /^p(\d{1,2}(?:\.\d+)?|100)$/.exec(statistic)?.[1];
      if (percent === undefined) {
        throw new ServiceException("ValidationError", `local-aws: cloudwatch has no statistic ${statistic}`);
      }
      const sorted = [...values].sort((a, b) => a - b);
      const index = Math.ceil((Number(percent) / 100) * sorted.length) - 1;
      return sorted[Math.max(0, index)] ?? 0;
    }
  }
}

export interface Period {
  /** Epoch milliseconds, a multiple of the period's length. */
  readonly startMs: number;
  readonly values: readonly number[];
}

/** The points from `startMs` to before `endMs`, by period, the oldest first. Periods without a point are left out. */
export function groupByPeriod(
  points: readonly Point[],
  startMs: number,
  endMs: number,
  periodMs: number,
): Period[] {
  const byStart = new Map<number, number[]>();
  for (const { atMs, value } of points) {
    if (atMs < startMs || atMs >= endMs) continue;
    const start = Math.floor(atMs / periodMs) * periodMs;
    byStart.set(start, [...(byStart.get(start) ?? []), value]);
  }
  return [...byStart].sort(([a], [b]) => a - b).map(([start, values]) => ({ startMs: start, values }));
}

/** A time as the protocols have it: a date, seconds since the epoch, or text. Epoch milliseconds. */
export function parseTime(time: Date | number | string): number {
  if (time instanceof Date) return time.getTime();
  return typeof time === "number" ? time * 1000 : Date.parse(time);
}
