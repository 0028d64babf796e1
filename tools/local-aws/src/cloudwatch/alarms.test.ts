import { describe, expect, it } from "vitest";
import { type AlarmSettings, evaluateAlarm, parseAlarmSettings } from "./alarms.ts";
import type { Point } from "./metrics.ts";

const minuteMs = 60_000;
/** In the middle of the minute that begins at 100. */
const nowMs = 100.5 * minuteMs;
const settings: AlarmSettings = {
  AlarmName: "errors",
  Namespace: "AWS/Lambda",
  MetricName: "Errors",
  Statistic: "Sum",
  Period: 60,
  EvaluationPeriods: 3,
  DatapointsToAlarm: 2,
  Threshold: 5,
  ComparisonOperator: "GreaterThanOrEqualToThreshold",
};
/** Values by the minute that they are of. */
const points = (values: Readonly<Record<number, number>>): Point[] =>
  Object.entries(values).map(([minute, value]) => ({ metric: "m", atMs: Number(minute) * minuteMs, value }));
const evaluate = (values: Readonly<Record<number, number>>, more: Partial<AlarmSettings> = {}) =>
  evaluateAlarm({ ...settings, ...more }, points(values), nowMs)?.value;

describe("evaluateAlarm", () => {
  it.each([
    [{ 98: 5, 99: 0, 100: 5 }, "ALARM"],
    [{ 98: 4, 99: 0, 100: 5 }, "OK"],
    [{ 97: 9, 99: 9, 100: 0 }, "OK"],
    [{ 100: 9 }, "OK"],
    [{}, "INSUFFICIENT_DATA"],
    [{ 97: 9 }, "INSUFFICIENT_DATA"],
  ])("of %j is %s", (values, expected) => {
    expect(evaluate(values)).toBe(expected);
  });

  it.each([
    ["breaching", {}, "ALARM"],
    ["notBreaching", {}, "OK"],
    ["ignore", {}, undefined],
    ["breaching", { 100: 9 }, "ALARM"],
    ["notBreaching", { 99: 9, 100: 9 }, "ALARM"],
  ] as const)("takes missing data as %s: %j is %s", (TreatMissingData, values, expected) => {
    expect(evaluate(values, { TreatMissingData })).toBe(expected);
  });

  it("adds up what came in one period", () => {
    const twice = [...points({ 100: 3 }), ...points({ 100: 3 }), ...points({ 99: 5 })];
    expect(evaluateAlarm(settings, twice, nowMs)?.value).toBe("ALARM");
  });

  it.each([
    ["GreaterThanThreshold", 5, "OK"],
    ["GreaterThanOrEqualToThreshold", 5, "ALARM"],
    ["LessThanThreshold", 5, "OK"],
    ["LessThanOrEqualToThreshold", 5, "ALARM"],
  ] as const)("%s at the threshold is %s", (ComparisonOperator, value, expected) => {
    const more = { ComparisonOperator, EvaluationPeriods: 1, DatapointsToAlarm: undefined };
    expect(evaluate({ 100: value }, more)).toBe(expected);
  });
});

describe("parseAlarmSettings", () => {
  it("takes numbers as text", () => {
    expect(parseAlarmSettings({ ...settings, Period: "60", Threshold: "5" })).toEqual(settings);
  });

  it.each([
    [{ ...settings, Metrics: [] }, "does not cover Metrics"],
    [{ ...settings, ComparisonOperator: "LessThanLowerThreshold" }, "LessThanLowerThreshold"],
    [{ ...settings, Threshold: undefined }, "Threshold is required"],
  ])("refuses %j", (input, text) => {
    expect(() => parseAlarmSettings(input)).toThrow(text);
  });
});
