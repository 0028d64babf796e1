import {
  type AliasConfiguration,
  type FunctionConfiguration,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  type State,
  type UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import { CodedError, type FunctionOnStage, liveAlias } from "@workspace/shared-config";
import { unlessAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import { type Digest, toDigest } from "../images/images.ts";

type LambdaClients = Pick<HandoffClients, "lambda" | "clock">;

/** `$LATEST` or a published version. */
export interface FunctionVersion {
  /** `$LATEST`, `7` */
  readonly version: string;
  readonly digest: Digest;
  /** Changes with every change; fences the next one. */
  readonly revisionId: string;
  /** `unknown` where Lambda says nothing. */
  readonly state: State | "unknown";
  readonly stateReason: string | undefined;
  readonly lastUpdateStatus: "InProgress" | "Successful" | "Failed" | "unknown";
  readonly lastUpdateStatusReason: string | undefined;
  /** What infra decides, without the code and without what Lambda adds. */
  readonly settings: Partial<FunctionConfiguration>;
}

export interface FunctionAlias {
  readonly name: string;
  /** The version that traffic goes to. */
  readonly version: string;
  /** Further versions and their shares, 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

/** @param qualifier `$LATEST`, a version or an alias. @returns `undefined` where the function or the version is missing */
export async function findConfiguration(
  { lambda }: Pick<HandoffClients, "lambda">,
  { functionName: FunctionName }: FunctionOnStage,
  qualifier: string,
): Promise<FunctionVersion | undefined> {
  const command = new GetFunctionConfigurationCommand({
    FunctionName,
    ...(qualifier !== "$LATEST" && { Qualifier: qualifier }),
  });
  const answer = await unlessAwsError(lambda.send(command), "ResourceNotFoundException");
  return answer && toFunctionVersion(answer);
}

/** What the alias `live` goes to; `undefined` where the function or its alias is missing. */
export function findLiveConfiguration(
  clients: Pick<HandoffClients, "lambda">,
  fn: FunctionOnStage,
): Promise<FunctionVersion | undefined> {
  return findConfiguration(clients, fn, liveAlias);
}

/** @throws CodedError `E_FUNCTION_MISSING` */
export async function requireConfiguration(
  clients: Pick<HandoffClients, "lambda">,
  fn: FunctionOnStage,
  qualifier: string,
): Promise<FunctionVersion> {
  return (await findConfiguration(clients, fn, qualifier)) ?? refuseMissing(fn, qualifier);
}

function refuseMissing(fn: FunctionOnStage, qualifier: string): never {
  throw new CodedError({
    code: "E_FUNCTION_MISSING",
    what:
      qualifier === "$LATEST" ? "the function does not exist" : "the version of the function does not exist",
    value: qualifier === "$LATEST" ? fn.functionName : `${fn.functionName}:${qualifier}`,
    remedy: `Run \`nx run infra:deploy --stage ${fn.stage.name}\` first, then this again.`,
  });
}

/** @throws CodedError `E_ALIAS_MISSING` */
export async function requireLiveAlias(
  { lambda }: Pick<HandoffClients, "lambda">,
  fn: FunctionOnStage,
): Promise<FunctionAlias> {
  const command = new GetAliasCommand({ FunctionName: fn.functionName, Name: liveAlias });
  const answer = await unlessAwsError(lambda.send(command), "ResourceNotFoundException");
  if (answer === undefined) {
    throw new CodedError({
      code: "E_ALIAS_MISSING",
      what: `the function has no alias ${liveAlias}, which traffic goes to`,
      value: fn.functionName,
      remedy: `Run \`nx run infra:deploy --stage ${fn.stage.name}\`, which makes it, then this again.`,
    });
  }
  return toFunctionAlias(answer);
}

/** Every published version, oldest first; none where there is no function. */
export async function listVersions(
  { lambda }: Pick<HandoffClients, "lambda">,
  { functionName: FunctionName }: FunctionOnStage,
): Promise<FunctionVersion[]> {
  const versions: FunctionVersion[] = [];
  let Marker: string | undefined;
  do {
    const command = new ListVersionsByFunctionCommand({ FunctionName, Marker });
    const page = await unlessAwsError(lambda.send(command), "ResourceNotFoundException");
    versions.push(...(page?.Versions ?? []).map(toFunctionVersion));
    Marker = page?.NextMarker;
  } while (Marker !== undefined);
  return versions
    .filter(({ version }) => version !== "$LATEST")
    .sort((a, b) => Number(a.version) - Number(b.version));
}

/** None where there is no function. */
export async function listAliases(
  { lambda }: Pick<HandoffClients, "lambda">,
  { functionName: FunctionName }: FunctionOnStage,
): Promise<FunctionAlias[]> {
  const aliases: FunctionAlias[] = [];
  let Marker: string | undefined;
  do {
    const command = new ListAliasesCommand({ FunctionName, Marker });
    const page = await unlessAwsError(lambda.send(command), "ResourceNotFoundException");
    aliases.push(...(page?.Aliases ?? []).map(toFunctionAlias));
    Marker = page?.NextMarker;
  } while (Marker !== undefined);
  return aliases;
}

function toFunctionVersion(configuration: FunctionConfiguration): FunctionVersion {
  return {
    version: configuration.Version ?? "",
    digest: toDigest(configuration.CodeSha256 ?? ""),
    revisionId: configuration.RevisionId ?? "",
    state: configuration.State ?? "unknown",
    stateReason: configuration.StateReason,
    lastUpdateStatus: configuration.LastUpdateStatus ?? "unknown",
    lastUpdateStatusReason: configuration.LastUpdateStatusReason,
    settings: pickSettings(configuration),
  };
}

export function toFunctionAlias(alias: AliasConfiguration): FunctionAlias {
  return {
    name: alias.Name ?? "",
    version: alias.FunctionVersion ?? "",
    weights: alias.RoutingConfig?.AdditionalVersionWeights ?? {},
    revisionId: alias.RevisionId ?? "",
  };
}

/** What an update can change of an image's function, under the names that reads give it; the compiler misses none. */
type SettingName =
  | Exclude<
      keyof UpdateFunctionConfigurationRequest,
      "FunctionName" | "RevisionId" | "Handler" | "Runtime" | "SnapStart" | "ImageConfig"
    >
  | "ImageConfigResponse"
  | "Architectures";

const settings: Readonly<Record<SettingName & keyof FunctionConfiguration, true>> = {
  Role: true,
  Description: true,
  Timeout: true,
  MemorySize: true,
  VpcConfig: true,
  DeadLetterConfig: true,
  Environment: true,
  KMSKeyArn: true,
  TracingConfig: true,
  Layers: true,
  FileSystemConfigs: true,
  ImageConfigResponse: true,
  Architectures: true,
  EphemeralStorage: true,
  LoggingConfig: true,
  DurableConfig: true,
  CapacityProviderConfig: true,
};
const settingNames = Object.keys(settings) as (keyof typeof settings)[];

function pickSettings(configuration: FunctionConfiguration): Partial<FunctionConfiguration> {
  const present = settingNames.filter((name) => configuration[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, configuration[name]]));
}

/** Soon at first, since most updates take less than a second; then seldom. */
const firstPollMs = 50;
const longestPollMs = 500;
const maxWaitMs = 10 * 60_000;
/** For how long a read may show what was before a change that Lambda has confirmed. */
const longestLagMs = 10_000;

/**
 * Waits until no update of `$LATEST` is under way and the function can be changed.
 * @param before the revision before a change that Lambda has confirmed. @default undefined: none was made
 * @throws CodedError `E_FUNCTION_MISSING`, `E_FUNCTION_BUSY` after ten minutes
 */
export function waitUntilUpdated(
  clients: LambdaClients,
  fn: FunctionOnStage,
  before?: string,
): Promise<FunctionVersion> {
  return poll(clients, fn, "$LATEST", (latest, waitedMs) => {
    const lags = before !== undefined && latest?.revisionId === before && waitedMs < longestLagMs;
    return !lags && latest?.lastUpdateStatus !== "InProgress" && latest?.state !== "Pending";
  });
}

/**
 * @param version one that was published just now, or before
 * @throws CodedError `E_VERSION_NOT_ACTIVE` with Lambda's reason
 * @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
export async function waitUntilActive(
  clients: LambdaClients,
  fn: FunctionOnStage,
  version: string,
): Promise<FunctionVersion> {
  const settled = await poll(clients, fn, version, (found, waitedMs) => {
    const lags = found === undefined && waitedMs < longestLagMs;
    return !lags && found?.state !== "Pending";
  });
  // An inactive one wakes up when it is invoked.
  if (settled.state !== "Active" && settled.state !== "Inactive") {
    throw new CodedError({
      code: "E_VERSION_NOT_ACTIVE",
      what: `version ${version} of ${fn.functionName} could not be activated`,
      value: [settled.state, settled.stateReason].filter(Boolean).join(": "),
      remedy: "See what Lambda says of it; repair the image or the function's settings, then release again.",
    });
  }
  return settled;
}

/** @param isDone of a version that is missing, too: what it says yes to, but isn't there, is an error */
async function poll(
  clients: LambdaClients,
  fn: FunctionOnStage,
  qualifier: string,
  isDone: (found: FunctionVersion | undefined, waitedMs: number) => boolean,
): Promise<FunctionVersion> {
  const startedMs = clients.clock.monotonicMs();
  for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, longestPollMs)) {
    const found = await findConfiguration(clients, fn, qualifier);
    const waitedMs = clients.clock.monotonicMs() - startedMs;
    if (isDone(found, waitedMs)) return found ?? refuseMissing(fn, qualifier);
    if (waitedMs >= maxWaitMs) {
      throw new CodedError({
        code: "E_FUNCTION_BUSY",
        what: `${fn.functionName} has been busy for ten minutes`,
        value: `${found?.state}, ${found?.lastUpdateStatus}`,
        remedy:
          "Run `aws lambda get-function-configuration` to see what it is at, then run the command again.",
      });
    }
    await clients.clock.wait(pollMs);
  }
}
