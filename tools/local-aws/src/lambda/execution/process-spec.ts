import { existsSync } from "node:fs";
import { join } from "node:path";
import { resolveInRoot } from "../code/root-path.ts";
import type { Architecture, Configuration, ImageCode, Runnable } from "../model.ts";

/** A process of a function, without the address of its Runtime API. */
export interface ProcessSpec {
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Why it can't be started at all, as the kernel would say it. */
  readonly obstacle?: string;
}

/** What the process finds in its environment beside its own function's part. */
export interface ServerFacts {
  readonly region: string;
  readonly endpoint: string;
  /** A file that lets a program which insists on the registry's real host names reach it in plain HTTP. */
  readonly registriesConf: string;
}

export interface ProcessProps {
  readonly runnable: Runnable;
  readonly version: string;
  readonly logStream: string;
  /** The folder that the code is unpacked in. */
  readonly directory: string;
  readonly facts: ServerFacts;
}

const path = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

export function buildProcessSpec(props: ProcessProps): ProcessSpec {
  const { code, configuration } = props.runnable;
  return code.kind === "image"
    ? buildImageProcess(props, code, configuration)
    : buildZipProcess(props, configuration);
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function buildEnvironment({ runnable, version, logStream, facts }: ProcessProps): Record<string, string> {
  const { configuration } = runnable;
  const { LogGroup, LogFormat, ApplicationLogLevel } = configuration.LoggingConfig;
  return {
    ...configuration.Environment?.Variables,
    AWS_LAMBDA_FUNCTION_NAME: configuration.FunctionName,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.MemorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: LogGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_LOG_FORMAT: LogFormat,
    ...(ApplicationLogLevel !== undefined && { AWS_LAMBDA_LOG_LEVEL: ApplicationLogLevel }),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_REGION: facts.region,
    AWS_DEFAULT_REGION: facts.region,
    AWS_ENDPOINT_URL: facts.endpoint,
    // The key says in the record of calls which role they were made with.
    AWS_ACCESS_KEY_ID: `role:${configuration.Role.split("/").at(-1)}`,
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_SESSION_TOKEN: "local",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
  };
}

function buildZipProcess(props: ProcessProps, { Handler = "" }: Configuration): ProcessSpec {
  const { directory, facts } = props;
  return {
    file: join(directory, "bootstrap"),
    argv: [],
    cwd: directory,
    environment: {
      PATH: path,
      // The provider of cdk-ecr-deployment asks for real host names of ECR: this server is the proxy for them.
      CONTAINERS_REGISTRIES_CONF: facts.registriesConf,
      HTTP_PROXY: facts.endpoint,
      HTTPS_PROXY: facts.endpoint,
      NO_PROXY: "127.0.0.1,localhost",
      ...buildEnvironment(props),
      _HANDLER: Handler,
      LAMBDA_TASK_ROOT: directory,
      LAMBDA_RUNTIME_DIR: directory,
    },
  };
}

/** The image's process on this host: its paths become those of the folder that it is unpacked in. */
function buildImageProcess(
  props: ProcessProps,
  { configuration: image, architecture }: ImageCode,
  { ImageConfig = {}, Architectures }: Configuration,
): ProcessSpec {
  const { directory: root } = props;
  const command = ImageConfig.Command ?? image.Cmd ?? [];
  const [file = "", ...argv] = [...(ImageConfig.EntryPoint ?? image.Entrypoint ?? []), ...command];
  const environment = { PATH: path, ...parseVariables(image.Env ?? []), ...buildEnvironment(props) };
  const taskRoot = resolveInRoot(root, "/var/task");
  const workingDirectory = resolveInRoot(
    root,
    ImageConfig.WorkingDirectory || image.WorkingDir || "/var/task",
  );
  const executable = findExecutable(root, file, environment.PATH);
  return {
    file: executable ?? file,
    argv,
    cwd: existsSync(workingDirectory) ? workingDirectory : root,
    environment: { ...environment, LAMBDA_TASK_ROOT: taskRoot, ...(command[0] && { _HANDLER: command[0] }) },
    ...(executable === undefined && { obstacle: `fork/exec ${file}: no such file or directory` }),
    ...(!fits(architecture, Architectures[0]) && { obstacle: `fork/exec ${file}: exec format error` }),
  };
}

/** A path of the image; a name without a slash is looked for where the image's PATH says. */
function findExecutable(root: string, file: string, searchPath: string): string | undefined {
  if (file === "") return undefined;
  const candidates = file.includes("/") ? [file] : searchPath.split(":").map((folder) => join(folder, file));
  return candidates.map((candidate) => resolveInRoot(root, candidate)).find((found) => existsSync(found));
}

/** Lambda takes an image of another architecture, and fails to run it. */
function fits(imageArchitecture: string, architecture: Architecture): boolean {
  return imageArchitecture === (architecture === "arm64" ? "arm64" : "amd64");
}

function parseVariables(variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    variables.map((variable) => {
      const at = variable.indexOf("=");
      return [variable.slice(0, at), variable.slice(at + 1)];
    }),
  );
}
