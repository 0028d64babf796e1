import { DescribeAlarmsCommand, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CodedError, type FunctionOnStage, liveAlias } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import type { Lease } from "../lease/lease.ts";
import type { OnProgress } from "../progress.ts";

/** A part of the traffic for a while before all of it. */
export interface CanaryProps {
  /** 1 to 99 */
  readonly percent: number;
  readonly bakeMs: number;
  /** A CloudWatch alarm that must not go off. @default undefined: the function's own errors alone decide */
  readonly alarmName?: string | undefined;
}

const lookEveryMs = 5_000;

/**
 * Watches the version while it takes its part of the traffic.
 * @throws CodedError `E_CANARY_FAILED`, `E_CANARY_UNREADABLE`, `E_ALARM_MISSING`, `E_LEASE_LOST`
 */
export async function bake(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  version: string,
  canary: CanaryProps,
  onProgress: OnProgress,
): Promise<void> {
  const { clock } = clients;
  const startedAtMs = clock.epochMs();
  const startedMs = clock.monotonicMs();
  const endMs = startedMs + canary.bakeMs;
  onProgress({
    kind: "step",
    text: `${canary.percent}% of the traffic goes to version ${version} for ${canary.bakeMs / 1000} s`,
  });
  // Each look sees all since the start, so that a later one makes good for one that failed.
  let unreadable: CodedError | undefined;
  for (let leftMs = canary.bakeMs; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
    await clock.wait(Math.min(leftMs, lookEveryMs), lease.signal);
    await lease.check();
    const nowMs = startedAtMs + clock.monotonicMs() - startedMs;
    unreadable = await refuseErrors(clients, fn, version, startedAtMs, nowMs);
    if (canary.alarmName !== undefined) await refuseAlarm(clients, canary.alarmName);
  }
  if (unreadable !== undefined) throw unreadable;
}

/**
 * @returns what to throw where nobody can say whether there were errors
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
async function refuseErrors(
  { cloudwatch }: HandoffClients,
  { functionName }: FunctionOnStage,
  version: string,
  fromMs: number,
  toMs: number,
): Promise<CodedError | undefined> {
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(fromMs),
      // Metrics carry the start of their minute; the window must reach over the one that is under way.
      EndTime: new Date(toMs + 60_000),
      MetricDataQueries: [
        {
          Id: "errors",
          MetricStat: {
            Metric: {
              Namespace: "AWS/Lambda",
              MetricName: "Errors",
              Dimensions: [
                { Name: "FunctionName", Value: functionName },
                { Name: "Resource", Value: `${functionName}:${liveAlias}` },
                { Name: "ExecutedVersion", Value: version },
              ],
            },
            Period: 60,
            Stat: "Sum",
          },
        },
      ],
    }),
  );
  const [result, ...more] = MetricDataResults;
  if (result?.StatusCode !== "Complete" || result.Values === undefined || more.length > 0) {
    return new CodedError({
      code: "E_CANARY_UNREADABLE",
      what: `CloudWatch did not say whether version ${version} of ${functionName} has failed`,
      value: MetricDataResults.map(({ StatusCode, Messages }) => ({ StatusCode, Messages })),
      remedy: "See what CloudWatch says, and release again; without --canary nothing is read from it.",
    });
  }
  const errors = result.Values.reduce((sum, value) => sum + value, 0);
  if (errors === 0) return undefined;
  throw new CodedError({
    code: "E_CANARY_FAILED",
    what: `version ${version} of ${functionName} failed while it had a part of the traffic`,
    value: `${errors} errors`,
    remedy: "Read the log (`logs`), repair the handler, and release again.",
  });
}

async function refuseAlarm({ cloudwatch }: HandoffClients, alarmName: string): Promise<void> {
  const command = new DescribeAlarmsCommand({
    AlarmNames: [alarmName],
    AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
  });
  const { MetricAlarms = [], CompositeAlarms = [] } = await cloudwatch.send(command);
  const alarm = [...MetricAlarms, ...CompositeAlarms][0];
  if (alarm === undefined) {
    throw new CodedError({
      code: "E_ALARM_MISSING",
      what: "there is no such alarm",
      value: alarmName,
      remedy: "Name an alarm of the function's account and region with --alarm.",
    });
  }
  if (alarm.StateValue !== "ALARM") return;
  throw new CodedError({
    code: "E_CANARY_FAILED",
    what: `the alarm ${alarmName} went off while the new version had a part of the traffic`,
    value: alarm.StateReason,
    remedy: "Read the log (`logs`), repair the handler, and release again.",
  });
}
