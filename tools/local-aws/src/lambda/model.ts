/** What a function is configured with, in the shapes of the API; a version keeps a copy. */
export interface Configuration {
  readonly FunctionName: string;
  readonly PackageType: "Image" | "Zip";
  readonly Role: string;
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly Description: string;
  /** Seconds. */
  readonly Timeout: number;
  /** MiB. */
  readonly MemorySize: number;
  readonly Architectures: readonly [Architecture];
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
  readonly ImageConfig?: ImageConfig;
  readonly EphemeralStorage: { readonly Size: number };
  readonly LoggingConfig: LoggingConfig;
  readonly TracingConfig: { readonly Mode: "PassThrough" | "Active" };
}

export type Architecture = "x86_64" | "arm64";

/** What the function says instead of its image. */
export interface ImageConfig {
  readonly EntryPoint?: readonly string[];
  readonly Command?: readonly string[];
  readonly WorkingDirectory?: string;
}

export interface LoggingConfig {
  readonly LogGroup: string;
  readonly LogFormat: "JSON" | "Text";
  readonly ApplicationLogLevel?: string;
  readonly SystemLogLevel?: string;
}

export type Code = ImageCode | ZipCode;

export interface ImageCode {
  readonly kind: "image";
  /** Hex digest of the image's manifest. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** As it was given: `000000000000.dkr.ecr.eu-central-1.amazonaws.com/app:0a1b2c3d4e5f`. */
  readonly imageUri: string;
  readonly repositoryName: string;
  /** As the image's configuration says it. */
  readonly architecture: "amd64" | "arm64" | string;
  readonly configuration: ImageConfiguration;
  /** From the bottom up. */
  readonly layers: readonly Layer[];
}

export interface Layer {
  readonly digest: string;
  readonly mediaType: string;
}

/** @see https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfiguration {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
}

export interface ZipCode {
  readonly kind: "zip";
  /** Base64 digest of the archive. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What a process is started from. */
export interface Runnable {
  /** Another one for every change, so that no process outlives what it was started from. */
  readonly id: string;
  readonly configuration: Configuration;
  readonly code: Code;
}

/** `$LATEST`, or a published version. */
export interface Version {
  readonly version: string;
  readonly runnable: Runnable;
  /** What calls get while an update is in progress, and after one that failed. */
  readonly previous?: Runnable;
  /** Another one for every change of anything. */
  readonly revisionId: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly state: "Pending" | "Active" | "Failed";
  readonly lastUpdateStatus: "Successful" | "InProgress" | "Failed";
  /** Why the state or the last update is not what it should be. */
  readonly reason?: { readonly code: string; readonly text: string };
}

export interface Alias {
  readonly Name: string;
  readonly FunctionVersion: string;
  readonly Description: string;
  readonly RoutingConfig?: { readonly AdditionalVersionWeights?: Readonly<Record<string, number>> };
  readonly RevisionId: string;
}

export interface FunctionUrl {
  readonly id: string;
  /** Of an alias; absent for `$LATEST`. */
  readonly qualifier?: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: string | Readonly<Record<string, string>>;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface LambdaFunction {
  readonly latest: Version;
  /** Oldest first. */
  readonly published: readonly Version[];
  readonly nextVersion: number;
  readonly aliases: Readonly<Record<string, Alias>>;
  readonly urls: readonly FunctionUrl[];
  /** Statements by qualifier; `$LATEST` is the function itself. */
  readonly policies: Readonly<Record<string, readonly Statement[]>>;
  readonly tags: Readonly<Record<string, string>>;
}
