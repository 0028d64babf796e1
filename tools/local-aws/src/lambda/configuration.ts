import { refuseOthers } from "../service.ts";
import { invalidParameter } from "./errors.ts";
import type { Configuration, LoggingConfig } from "./model.ts";

/** What a request may say of a configuration. */
export type ConfigurationInput = Partial<
  Omit<Configuration, "FunctionName" | "PackageType" | "Architectures" | "LoggingConfig">
> & { readonly LoggingConfig?: Partial<LoggingConfig> };

/** The members of a configuration that have an effect here. */
const covered: readonly (keyof ConfigurationInput)[] = [
  "Role",
  "Runtime",
  "Handler",
  "Description",
  "Timeout",
  "MemorySize",
  "Environment",
  "ImageConfig",
  "EphemeralStorage",
  "LoggingConfig",
  "TracingConfig",
];

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const reservedVariables = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_DEFAULT_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_LAMBDA_RUNTIME_API",
  "AWS_REGION",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
]);
const environmentMaxBytes = 4096;

export function buildConfiguration(
  identity: Pick<Configuration, "FunctionName" | "PackageType" | "Architectures">,
  input: ConfigurationInput,
): Configuration {
  if (input.Role === undefined) throw invalidParameter("A role is required to create a function.");
  return changeConfiguration(
    {
      ...identity,
      Role: input.Role,
      Description: "",
      Timeout: 3,
      MemorySize: 128,
      EphemeralStorage: { Size: 512 },
      TracingConfig: { Mode: "PassThrough" },
      LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${identity.FunctionName}` },
    },
    input,
  );
}

/**
 * What is given replaces what is there, as a whole.
 * @throws ServiceException for what is out of range, and for what is not covered
 */
export function changeConfiguration(configuration: Configuration, input: ConfigurationInput): Configuration {
  refuseOthers("the configuration of a function", input, covered);
  const { LoggingConfig, ...given } = input;
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const changed: Configuration = {
    ...configuration,
    ...present,
    ...(LoggingConfig !== undefined && {
      LoggingConfig: completeLoggingConfig(configuration.FunctionName, LoggingConfig),
    }),
  };
  checkRange("timeout", changed.Timeout, 1, 900);
  checkRange("memorySize", changed.MemorySize, 128, 10_240);
  checkRange("ephemeralStorage.size", changed.EphemeralStorage.Size, 512, 10_240);
  checkRole(changed.Role);
  checkVariables(changed.Environment?.Variables ?? {});
  if (changed.PackageType === "Zip" && !/^provided\.al2(023)?$/.test(changed.Runtime ?? "")) {
    throw invalidParameter(
      `local-aws: a zip function runs on provided.al2 or provided.al2023 here, not on ${changed.Runtime}`,
    );
  }
  return changed;
}

function completeLoggingConfig(functionName: string, input: Partial<LoggingConfig>): LoggingConfig {
  const LogFormat = input.LogFormat ?? "Text";
  return {
    LogFormat,
    LogGroup: input.LogGroup ?? `/aws/lambda/${functionName}`,
    ...(LogFormat === "JSON" && {
      ApplicationLogLevel: input.ApplicationLogLevel ?? "INFO",
      SystemLogLevel: input.SystemLogLevel ?? "INFO",
    }),
  };
}

function checkRange(member: string, value: number, minimum: number, maximum: number): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  const [constraint, bound] =
    value < minimum ? ["greater than or equal to", minimum] : ["less than or equal to", maximum];
  throw invalidParameter(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value ${constraint} ${bound}`,
  );
}

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
const rolePattern = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;

function checkRole(role: string): void {
  if (rolePattern.test(role)) return;
  throw invalidParameter(
    `1 validation error detected: Value '${role}' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: ${rolePattern.source.slice(1, -1)}`,
  );
}

function checkVariables(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => reservedVariables.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  const malformed = Object.keys(variables).find((name) => !/^[a-zA-Z]\w+$/.test(name));
  if (malformed !== undefined) {
    throw invalidParameter(
      `1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+] (${malformed})`,
    );
  }
  if (Buffer.byteLength(JSON.stringify(variables)) > environmentMaxBytes) {
    throw invalidParameter(
      "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.",
    );
  }
}
