import { GetFunctionCommand, GetFunctionUrlConfigCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import {
  type FunctionOnStage,
  liveAlias,
  parseFunction,
  parseHostArchitecture,
  parseStage,
} from "@workspace/shared-config";
import { AwsClient } from "aws4fetch";
import type { ScratchWorkspace } from "../scratch-workspace.ts";
import type { Environment } from "../stage-session.ts";

/** What traffic gets: read from Lambda itself, not from a command of this workspace. */
export interface LiveFacts {
  readonly version: string;
  /** Hex digest of the image's manifest. */
  readonly digest: string;
  readonly memoryMiB: number;
}

/** Where a story happens, and how to look at it from the outside. */
export interface World {
  readonly scratch: ScratchWorkspace;
  readonly environment: Environment;
  readonly fn: FunctionOnStage;
  readLive(): Promise<LiveFacts>;
  /** The value of the SSM parameter; `undefined` where it does not exist. */
  readPublishedTag(): Promise<string | undefined>;
  /** GETs the function's URL, signed, so that it works with either kind of authorization. */
  get(path: string): Promise<{ url: string; status: number; body: string }>;
}

export function createWorld(scratch: ScratchWorkspace, environment: Environment, project: string): World {
  const fn = parseFunction(project, parseStage(environment.STAGE ?? ""), parseHostArchitecture(process.arch));
  // The session's environment is not this process's, so what the SDK would read there is handed to it.
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  const config = {
    region: environment.AWS_REGION,
    ...(AWS_ENDPOINT_URL && { endpoint: AWS_ENDPOINT_URL }),
    ...(AWS_ACCESS_KEY_ID &&
      AWS_SECRET_ACCESS_KEY && {
        credentials: {
          accessKeyId: AWS_ACCESS_KEY_ID,
          secretAccessKey: AWS_SECRET_ACCESS_KEY,
          ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
        },
      }),
  };
  const lambda = new LambdaClient(config);
  const ssm = new SSMClient(config);

  return {
    scratch,
    environment,
    fn,
    async readLive() {
      const request = { FunctionName: fn.functionName, Qualifier: liveAlias };
      const { Configuration } = await lambda.send(new GetFunctionCommand(request));
      const { Version = "", CodeSha256 = "", MemorySize = 0 } = Configuration ?? {};
      return { version: Version, digest: CodeSha256, memoryMiB: MemorySize };
    },
    async readPublishedTag() {
      try {
        const { Parameter } = await ssm.send(new GetParameterCommand({ Name: fn.imageTagParameter }));
        return Parameter?.Value;
      } catch (error) {
        if (error instanceof Error && error.name === "ParameterNotFound") return undefined;
        throw error;
      }
    },
    async get(path) {
      const request = { FunctionName: fn.functionName, Qualifier: liveAlias };
      const { FunctionUrl = "" } = await lambda.send(new GetFunctionUrlConfigCommand(request));
      const url = FunctionUrl.replace(/\/$/, "") + path;
      const credentials = await lambda.config.credentials();
      const client = new AwsClient({
        ...credentials,
        service: "lambda",
        region: fn.stage.region,
        retries: 0,
      });
      const response = await client.fetch(url);
      return { url, status: response.status, body: await response.text() };
    },
  };
}
