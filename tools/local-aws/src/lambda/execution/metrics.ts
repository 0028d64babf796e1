import type { ServiceContext } from "../../service.ts";

export interface InvocationMetrics {
  readonly functionName: string;
  /** That the call came through: an alias, a version, or none. */
  readonly qualifier?: string;
  /** Absent where none was chosen yet. */
  readonly executedVersion?: string;
  /** `Invocations`, `Errors` … by name. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Counts an invocation under each set of dimensions that Lambda has.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
 */
export async function putInvocationMetrics(
  { call }: Pick<ServiceContext, "call">,
  { functionName, qualifier, executedVersion, values }: InvocationMetrics,
): Promise<void> {
  const name = { Name: "FunctionName", Value: functionName };
  const resource = {
    Name: "Resource",
    Value: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
  };
  const dimensionSets = [
    [name],
    [name, resource],
    ...(executedVersion === undefined
      ? []
      : [[name, resource, { Name: "ExecutedVersion", Value: executedVersion }]]),
  ];
  const MetricData = Object.entries(values).flatMap(([MetricName, Value]) =>
    dimensionSets.map((Dimensions) => ({
      MetricName,
      Dimensions,
      Value,
      Unit: MetricName === "Duration" ? "Milliseconds" : "Count",
    })),
  );
  await call("cloudwatch", "PutMetricData", { Namespace: "AWS/Lambda", MetricData });
}
