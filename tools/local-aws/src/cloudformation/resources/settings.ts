import {
  buildName,
  type Made,
  type Properties,
  type ResourceContext,
  type ResourceType,
  unlessGone,
} from "./resource-type.ts";

interface ParameterProperties extends Properties {
  readonly Name?: string;
  readonly Type: string;
  readonly Value: string;
  readonly Description?: string;
}

async function putParameter(
  properties: ParameterProperties,
  Overwrite: boolean,
  context: ResourceContext,
): Promise<Made> {
  const { Type, Value, Description, Name = buildName(context) } = properties;
  await context.services.call("ssm", "PutParameter", {
    Name,
    Type,
    Value: String(Value),
    Description,
    Overwrite,
  });
  return { physicalId: Name, attributes: { Type, Value } };
}

const parameterType: ResourceType = {
  properties: ["Name", "Type", "Value", "Description", "Tags"],
  replacedBy: ["Name", "Type"],
  create: (properties: ParameterProperties, context) => putParameter(properties, false, context),
  update: (Name, properties: ParameterProperties, _old, context) =>
    putParameter({ ...properties, Name }, true, context),
  delete: (Name, _properties, { services }) =>
    unlessGone(["ParameterNotFound"], services.call("ssm", "DeleteParameter", { Name })),
};

interface LogGroupProperties extends Properties {
  readonly LogGroupName?: string;
  readonly RetentionInDays?: number;
}

async function setRetention(
  logGroupName: string,
  { RetentionInDays }: LogGroupProperties,
  { services }: ResourceContext,
): Promise<Made> {
  if (RetentionInDays === undefined) await services.call("logs", "DeleteRetentionPolicy", { logGroupName });
  else
    await services.call("logs", "PutRetentionPolicy", {
      logGroupName,
      retentionInDays: Number(RetentionInDays),
    });
  const Arn = `arn:aws:logs:${services.region}:${services.accountId}:log-group:${logGroupName}:*`;
  return { physicalId: logGroupName, attributes: { Arn } };
}

const logGroupType: ResourceType = {
  properties: ["LogGroupName", "RetentionInDays", "Tags"],
  replacedBy: ["LogGroupName"],
  async create(properties: LogGroupProperties, context) {
    const logGroupName = properties.LogGroupName ?? buildName(context, 512);
    await context.services.call("logs", "CreateLogGroup", { logGroupName });
    context.claim(logGroupName);
    return setRetention(logGroupName, properties, context);
  },
  update: (logGroupName, properties: LogGroupProperties, _old, context) =>
    setRetention(logGroupName, properties, context),
  delete: (logGroupName, _properties, { services }) =>
    unlessGone(["ResourceNotFoundException"], services.call("logs", "DeleteLogGroup", { logGroupName })),
};

interface AlarmProperties extends Properties {
  readonly AlarmName?: string;
}

async function putAlarm(
  AlarmName: string,
  properties: AlarmProperties,
  { services }: ResourceContext,
): Promise<Made> {
  await services.call("cloudwatch", "PutMetricAlarm", { ...properties, AlarmName });
  return {
    physicalId: AlarmName,
    attributes: { Arn: `arn:aws:cloudwatch:${services.region}:${services.accountId}:alarm:${AlarmName}` },
  };
}

const alarmType: ResourceType = {
  properties: [
    "AlarmName",
    "AlarmDescription",
    "AlarmActions",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
  ],
  replacedBy: ["AlarmName"],
  create: (properties: AlarmProperties, context) =>
    putAlarm(properties.AlarmName ?? buildName(context, 255), properties, context),
  update: (AlarmName, properties: AlarmProperties, _old, context) => putAlarm(AlarmName, properties, context),
  delete: (AlarmName, _properties, { services }) =>
    services.call("cloudwatch", "DeleteAlarms", { AlarmNames: [AlarmName] }).then(() => {}),
};

/** Says which constructs a template came from; nothing is made. */
const metadataType: ResourceType = {
  properties: ["Analytics"],
  replacedBy: [],
  create: async (_properties, context) => ({ physicalId: buildName(context), attributes: {} }),
  update: async (physicalId) => ({ physicalId, attributes: {} }),
  delete: async () => {},
};

export const settingsTypes: Readonly<Record<string, ResourceType>> = {
  "AWS::SSM::Parameter": parameterType,
  "AWS::Logs::LogGroup": logGroupType,
  "AWS::CloudWatch::Alarm": alarmType,
  "AWS::CDK::Metadata": metadataType,
};
