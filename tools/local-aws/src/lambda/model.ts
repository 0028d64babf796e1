/** What a function is configured with, in the shapes of the API; a version keeps a copy. */
export interface Configuration {
  readonly FunctionName: string;
  readonly PackageType: "Image" | "Zip";
  readonly Role: string;
  readonly Runtime?: string;
  readonly Handler?: string;
  readonly Description: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Architectures: readonly string[];
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  readonly ImageConfig?: {
    readonly EntryPoint?: readonly string[];
    readonly Command?: readonly string[];
    readonly WorkingDirectory?: string;
  };
  readonly EphemeralStorage: { readonly Size: number };
  readonly LoggingConfig?: {
    readonly LogGroup?: string;
    readonly LogFormat?: "JSON" | "Text";
    readonly ApplicationLogLevel?: string;
    readonly SystemLogLevel?: string;
  };
  readonly TracingConfig?: { readonly Mode: string };
}

export interface Code {
  /** Hex digest of the manifest for an image, base64 of the archive's for a zip. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** As it was given. */
  readonly imageUri?: string;
  /** Folder that the archive is unpacked in. */
  readonly directory?: string;
}

/** `$LATEST`, or a published version. */
export interface Version {
  readonly version: string;
  readonly configuration: Configuration;
  readonly code: Code;
  readonly revisionId: string;
  readonly lastModified: number;
  readonly state: "Pending" | "Active" | "Failed";
  readonly stateReason?: string;
  readonly lastUpdateStatus: "Successful" | "InProgress" | "Failed";
  readonly lastUpdateStatusReason?: string;
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
  readonly qualifier: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly cors?: object;
  readonly createdAt: number;
}

export interface LambdaFunction {
  readonly latest: Version;
  readonly published: readonly Version[];
  readonly nextVersion: number;
  readonly aliases: Readonly<Record<string, Alias>>;
  readonly urls: readonly FunctionUrl[];
  /** Statements by qualifier; `` is the function itself. */
  readonly policies: Readonly<Record<string, readonly { readonly Sid: string }[]>>;
  readonly tags: Readonly<Record<string, string>>;
}
