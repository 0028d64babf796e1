import { CodedError } from "./coded-error.ts";

export type Architecture = "x86_64" | "arm64";

/** One row of the stage table: where a command works, and with what. */
export interface Stage {
  readonly name: StageName;
  readonly region: string;
  /** 12 digits: with credentials of another account no command starts. @default undefined: those of any account */
  readonly account?: string;
  /**
   * What every command of the stage is run through, as an argv prefix; it provides the endpoint and the
   * credentials. @default undefined: the caller's environment has them, as on AWS
   */
  readonly launcher?: readonly string[];
  /** The container CLI that the CDK and `release` call, unless `CDK_DOCKER` names another. */
  readonly containerCli: string;
  /**
   * What the image is built on, unless `BASE_IMAGE` names another: `glibc` (five files of a pinned Debian
   * image), `scratch` (the function runs on its host's libc), or an image reference.
   */
  readonly baseImage: string;
  /** `host` follows the machine that runs the command; @default undefined: the function's own. */
  readonly architecture?: Architecture | "host";
  /** Who may call the function's URL: anybody, or who signs. @default undefined: it has none, as in some regions */
  readonly functionUrlAuth?: "NONE" | "AWS_IAM";
  /** Whether `deploy` bootstraps the CDK where that has not been done. On AWS that is an administrator's act. */
  readonly autoBootstrap: boolean;
  /** How long the function's logs are kept, in days. */
  readonly logRetentionDays: number;
}

export const stageNames = ["local", "dev", "prod"] as const;
export type StageName = (typeof stageNames)[number];
export const defaultStageName: StageName = "local";

const region = "eu-central-1";

export const stages: { readonly [N in StageName]: Stage } = {
  local: {
    name: "local",
    region,
    launcher: ["local-aws", "exec", "--"],
    containerCli: "oci-build",
    baseImage: "scratch",
    architecture: "host",
    functionUrlAuth: "NONE",
    autoBootstrap: true,
    logRetentionDays: 7,
  },
  dev: {
    name: "dev",
    region,
    containerCli: "oci-build",
    baseImage: "glibc",
    functionUrlAuth: "AWS_IAM",
    autoBootstrap: false,
    logRetentionDays: 30,
  },
  prod: {
    name: "prod",
    region,
    containerCli: "oci-build",
    baseImage: "glibc",
    functionUrlAuth: "AWS_IAM",
    autoBootstrap: false,
    logRetentionDays: 365,
  },
};

/** @throws CodedError `E_STAGE_UNKNOWN` */
export function parseStage(value: string): Stage {
  const name = stageNames.find((candidate) => candidate === value);
  if (name === undefined) {
    throw new CodedError({
      code: "E_STAGE_UNKNOWN",
      what: `stage is none of ${stageNames.join(", ")}`,
      value,
      remedy: "Set STAGE or --stage to one of them, or add a row to the stage table in libs/shared-config.",
    });
  }
  return stages[name];
}
