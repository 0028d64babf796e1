import { join } from "node:path";
import type { ServiceContext } from "../service.ts";
import {
  ExecutionEnvironment,
  type InvocationProps,
  type Outcome,
  type ProcessSpec,
} from "./execution-environment.ts";
import { type ImageConfiguration, resolveImage, unpackImage } from "./image-rootfs.ts";
import type { Version } from "./model.ts";

/** How many environments of a version run at once. @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
const concurrencyLimit = 10;
const keptWarmMs = 5 * 60 * 1000;

export interface InvokeProps {
  readonly payload: Buffer;
  readonly functionArn: string;
  /** Alias that the call came through, for the metrics. */
  readonly qualifier: string | undefined;
  readonly clientContext?: string;
  readonly onChunk?: InvocationProps["onChunk"];
}

export interface Invoker {
  /** `undefined` where as many run already as may. */
  invoke(version: Version, props: InvokeProps): Promise<(Outcome & { readonly log: string }) | undefined>;
  /** Ends the environments of a revision that is no more. */
  retire(revisionId: string): void;
  stop(): Promise<void>;
}

interface Warm {
  readonly environment: ExecutionEnvironment;
  readonly lines: string[];
  expiry: NodeJS.Timeout | undefined;
}

/** Starts, keeps and ends execution environments; writes what they say into the logs and metrics. */
export function createInvoker(context: ServiceContext): Invoker {
  const idle = new Map<string, Warm[]>();
  const running = new Map<string, number>();
  const retired = new Set<string>();
  const all = new Set<ExecutionEnvironment>();

  async function startOne(version: Version): Promise<Warm> {
    const spec = await buildProcess(context, version);
    const lines: string[] = [];
    const environment = await ExecutionEnvironment.start(spec, (line) => lines.push(line));
    all.add(environment);
    return { environment, lines, expiry: undefined };
  }

  function put(revisionId: string, warm: Warm): void {
    if (!warm.environment.usable || retired.has(revisionId)) {
      void end(warm.environment);
      return;
    }
    warm.expiry = setTimeout(() => {
      idle.set(
        revisionId,
        (idle.get(revisionId) ?? []).filter((other) => other !== warm),
      );
      void end(warm.environment);
    }, keptWarmMs);
    warm.expiry.unref();
    idle.set(revisionId, [...(idle.get(revisionId) ?? []), warm]);
  }

  function take(revisionId: string): Warm | undefined {
    const warm = idle.get(revisionId)?.pop();
    clearTimeout(warm?.expiry);
    return warm === undefined || warm.environment.usable ? warm : take(revisionId);
  }

  async function end(environment: ExecutionEnvironment): Promise<void> {
    await environment.stop();
    all.delete(environment);
  }

  return {
    async invoke(version, props) {
      const { revisionId, configuration } = version;
      const count = running.get(revisionId) ?? 0;
      if (count >= concurrencyLimit) return undefined;
      running.set(revisionId, count + 1);
      try {
        const warm = take(revisionId) ?? (await startOne(version));
        const from = warm.lines.length;
        const outcome = await warm.environment.invoke({ ...props, timeoutSeconds: configuration.Timeout });
        const log = await writeLog(context, version, outcome, warm.lines.splice(0).slice(from));
        put(revisionId, warm);
        await writeMetrics(context, version, props.qualifier, outcome);
        return { ...outcome, log };
      } finally {
        running.set(revisionId, (running.get(revisionId) ?? 1) - 1);
      }
    },
    retire(revisionId) {
      retired.add(revisionId);
      for (const { environment, expiry } of idle.get(revisionId) ?? []) {
        clearTimeout(expiry);
        void end(environment);
      }
      idle.delete(revisionId);
    },
    async stop() {
      await Promise.all([...all].map((environment) => environment.stop()));
    },
  };
}

async function buildProcess(context: ServiceContext, version: Version): Promise<ProcessSpec> {
  const { configuration, code } = version;
  const group = logGroupOf(version);
  const common = {
    ...configuration.Environment?.Variables,
    AWS_LAMBDA_FUNCTION_NAME: configuration.FunctionName,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.MemorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: group,
    AWS_LAMBDA_LOG_STREAM_NAME: streamOf(version),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_FORMAT: configuration.LoggingConfig?.LogFormat ?? "Text",
    ...(configuration.LoggingConfig?.ApplicationLogLevel && {
      AWS_LAMBDA_LOG_LEVEL: configuration.LoggingConfig.ApplicationLogLevel,
    }),
    AWS_REGION: context.region,
    AWS_DEFAULT_REGION: context.region,
    AWS_ACCESS_KEY_ID: `role:${configuration.Role.split("/").at(-1)}`,
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL: context.endpoint,
    TZ: ":UTC",
    LANG: "en_US.UTF-8",
  };
  if (code.imageUri === undefined) {
    const directory = code.directory ?? "";
    return {
      file: join(directory, "bootstrap"),
      argv: [],
      cwd: directory,
      environment: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        ...common,
        ...(await registryEnvironment(context)),
        _HANDLER: configuration.Handler ?? "",
        LAMBDA_TASK_ROOT: directory,
      },
    };
  }
  const repository = code.imageUri.replace(/^[^/]+\//, "").replace(/[:@].*$/, "");
  const image = await resolveImage(context, `registry/${repository}@sha256:${code.sha256}`);
  const root = await unpackImage(context, image);
  return buildImageProcess(root, image.configuration, configuration, common);
}

/** The image's process on this host: its paths are those of the folder that it is unpacked in. */
function buildImageProcess(
  root: string,
  image: ImageConfiguration,
  { ImageConfig = {} }: Version["configuration"],
  common: Readonly<Record<string, string>>,
): ProcessSpec {
  const command = ImageConfig.Command ?? image.Cmd ?? [];
  const [file = "", ...argv] = [...(ImageConfig.EntryPoint ?? image.Entrypoint ?? []), ...command];
  const environment = Object.fromEntries(
    (image.Env ?? []).map((variable) => {
      const at = variable.indexOf("=");
      return [variable.slice(0, at), variable.slice(at + 1)];
    }),
  );
  return {
    file: join(root, file),
    argv,
    cwd: join(root, ImageConfig.WorkingDirectory ?? image.WorkingDir ?? "/"),
    environment: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      ...environment,
      ...common,
      _HANDLER: command[0] ?? "",
      LAMBDA_TASK_ROOT: join(root, environment.LAMBDA_TASK_ROOT ?? "/var/task"),
    },
  };
}

/**
 * Lets a program that insists on the registry's real host names reach the registry here: in plain HTTP, through this
 * server as a proxy.
 */
async function registryEnvironment({ endpoint, store }: ServiceContext): Promise<Record<string, string>> {
  const { writeFile } = await import("node:fs/promises");
  const path = join(store.directory, "registries.conf");
  await writeFile(path, '[[registry]]\nprefix = "*.amazonaws.com"\ninsecure = true\n');
  return {
    CONTAINERS_REGISTRIES_CONF: path,
    HTTP_PROXY: endpoint,
    HTTPS_PROXY: endpoint,
    NO_PROXY: "127.0.0.1",
    HOME: store.directory,
  };
}

export function logGroupOf({ configuration }: Version): string {
  return configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${configuration.FunctionName}`;
}

function streamOf({ version, lastModified, revisionId }: Version): string {
  const day = new Date(lastModified).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${version}]${revisionId.replaceAll("-", "")}`;
}

async function writeLog(
  context: ServiceContext,
  version: Version,
  outcome: Outcome,
  lines: readonly string[],
): Promise<string> {
  const { requestId, durationMs } = outcome;
  const report = `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(durationMs)} ms\tMemory Size: ${version.configuration.MemorySize} MB`;
  const all = [
    `START RequestId: ${requestId} Version: ${version.version}`,
    ...lines,
    `END RequestId: ${requestId}`,
    report,
  ];
  const timestamp = context.now();
  await context.call("logs", "PutLogEvents", {
    logGroupName: logGroupOf(version),
    logStreamName: streamOf(version),
    logEvents: all.map((message) => ({ timestamp, message: `${message}\n` })),
  });
  return all.join("\n");
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
async function writeMetrics(
  context: ServiceContext,
  { configuration: { FunctionName }, version }: Version,
  qualifier: string | undefined,
  outcome: Outcome,
): Promise<void> {
  const name = { Name: "FunctionName", Value: FunctionName };
  const resource = {
    Name: "Resource",
    Value: `${FunctionName}${qualifier === undefined ? "" : `:${qualifier}`}`,
  };
  const sets = [[name], [name, resource], [name, resource, { Name: "ExecutedVersion", Value: version }]];
  const values = {
    Invocations: 1,
    Errors: outcome.functionError === undefined ? 0 : 1,
    Duration: outcome.durationMs,
  };
  await context.call("cloudwatch", "PutMetricData", {
    Namespace: "AWS/Lambda",
    MetricData: Object.entries(values).flatMap(([MetricName, Value]) =>
      sets.map((Dimensions) => ({ MetricName, Dimensions, Value })),
    ),
  });
}
