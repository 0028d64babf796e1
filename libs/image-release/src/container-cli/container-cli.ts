import { CodedError, containerCliEnvironment } from "@workspace/shared-config";
import { execa } from "execa";

/** A docker-compatible command, such as oci-build, docker, podman, finch or buildah, as `release` needs it. */
export interface ContainerCli {
  /** Logs in to a registry. The password goes to the command's standard input. */
  login(props: LoginProps): Promise<void>;
  build(props: BuildProps): Promise<void>;
  push(reference: string): Promise<void>;
}

export interface LoginProps {
  /** `123456789012.dkr.ecr.eu-central-1.amazonaws.com`, `127.0.0.1:4566` */
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

export interface BuildProps {
  /** `<repository URI>:<tag>` */
  readonly reference: string;
  /** The folder with the Dockerfile. */
  readonly directory: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

export interface ContainerCliProps {
  /** The executable's name or path: what `CDK_DOCKER` says. */
  readonly executable: string;
  /** Each line that the command prints, as it comes. */
  readonly onLine: (line: string) => void;
  /** Ends the command, too. */
  readonly signal?: AbortSignal;
  /** Beside this process's own, such as `DOCKER_CONFIG`. @default {} */
  readonly environment?: Readonly<Record<string, string>>;
}

export function buildLoginArgv({ username, host }: LoginProps): string[] {
  return ["login", "--username", username, "--password-stdin", host];
}

export function buildBuildArgv({ reference, directory, platform, buildArgs }: BuildProps): string[] {
  const args = Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  return ["build", "--tag", reference, "--platform", platform, ...args, directory];
}

export function buildPushArgv(reference: string): string[] {
  return ["push", reference];
}

/**
 * Buildx attaches an attestation by default, which makes an image index of the image, and Lambda refuses those.
 * The variable works with and without buildx; `--provenance=false` fails without it.
 * @see https://docs.docker.com/build/building/variables/#buildx_no_default_attestations
 */
const withoutAttestations = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };

/** The only module that starts the container CLI. Its methods throw CodedError `E_CONTAINER_CLI_MISSING`, `E_CONTAINER_CLI_FAILED`. */
export function createContainerCli({
  executable,
  onLine,
  signal,
  environment = {},
}: ContainerCliProps): ContainerCli {
  async function run(argv: readonly string[], input = ""): Promise<void> {
    const child = execa(executable, argv, {
      env: { ...environment, ...containerCliEnvironment, ...withoutAttestations },
      input,
      all: true,
      buffer: true,
      reject: false,
      ...(signal !== undefined && { cancelSignal: signal, gracefulCancel: false }),
    });
    for await (const line of child.iterable({ from: "all" })) if (line.trim() !== "") onLine(line);
    const ended = await child;
    if (!ended.failed) return;
    if (ended.isCanceled) signal?.throwIfAborted();
    if (ended.code === "ENOENT" || ended.code === "EACCES") {
      throw new CodedError({
        code: "E_CONTAINER_CLI_MISSING",
        what: "the container CLI can't be started",
        value: executable,
        remedy: "Install it, or name another in CDK_DOCKER: oci-build, docker, podman, finch, buildah.",
        cause: ended,
      });
    }
    throw new CodedError({
      code: "E_CONTAINER_CLI_FAILED",
      what: `${[executable, ...argv].join(" ")} ended with ${ended.exitCode ?? ended.signal}`,
      value: lastLines(ended.all),
      remedy: "Fix what it says, then run the command again.",
    });
  }

  return {
    login: (props) => run(buildLoginArgv(props), props.password),
    build: (props) => run(buildBuildArgv(props)),
    push: (reference) => run(buildPushArgv(reference)),
  };
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-10).join("\n");
}
