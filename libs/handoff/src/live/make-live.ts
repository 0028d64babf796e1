import { isDeepStrictEqual } from "node:util";
import { PublishVersionCommand, UpdateAliasCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import { CodedError, exitCodes, type FunctionOnStage, liveAlias } from "@workspace/shared-config";
import { isAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import { type Digest, requireRepositoryUri, toCodeSha256 } from "../images/images.ts";
import type { Lease } from "../lease/lease.ts";
import type { OnProgress } from "../progress.ts";
import { bake, type CanaryProps } from "./canary.ts";
import {
  type FunctionAlias,
  type FunctionVersion,
  requireConfiguration,
  requireLiveAlias,
  toFunctionAlias,
  waitUntilActive,
  waitUntilUpdated,
} from "./function-state.ts";
import { smokeCheck } from "./smoke.ts";

export interface MakeLiveProps {
  /** Of the image that is to get all traffic, with the configuration that `$LATEST` has. */
  readonly digest: Digest;
  /** JSON text that the new version is invoked with before it gets traffic. @default undefined: no smoke check */
  readonly smokeEvent?: string | undefined;
  /** @default undefined: all traffic at once */
  readonly canary?: CanaryProps | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface LiveResult {
  /** `unchanged`: code and configuration were live already, and nothing was moved. */
  readonly kind: "unchanged" | "moved";
  /** That the alias `live` goes to. */
  readonly version: string;
  readonly digest: Digest;
  /** That the alias went to before. */
  readonly previous: { readonly version: string; readonly digest: Digest };
}

/**
 * Gives all traffic to an image with the configuration of `$LATEST`: code -> version -> active -> smoke check ->
 * canary -> alias. Where a step fails the code goes back to what was live. Can be run again after any end.
 * @throws CodedError `E_FUNCTION_MISSING`, `E_ALIAS_MISSING`, `E_CODE_UPDATE_FAILED`, `E_VERSION_NOT_ACTIVE`,
 * `E_SMOKE_FAILED`, `E_CANARY_FAILED`, `E_CANARY_UNREADABLE`, `E_CHANGED_OUTSIDE`, `E_LEASE_LOST`; exit code 2 where something had moved
 */
export async function makeLive(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  { digest, smokeEvent, canary, onProgress = () => {} }: MakeLiveProps,
): Promise<LiveResult> {
  const step = (text: string) => onProgress({ kind: "step", text });
  const latest = await waitUntilUpdated(clients, fn);
  const alias = await giveAllTraffic(clients, fn, lease, await requireLiveAlias(clients, fn));
  const live = await requireConfiguration(clients, fn, alias.version);
  const previous = { version: live.version, digest: live.digest };

  try {
    const code = { digest, settings: { Architectures: [fn.architecture] } };
    const updated = await putCode(clients, fn, lease, latest, code, step);
    const version = isSame(updated, live) ? live.version : await publishVersion(clients, fn, lease, updated);
    if (version === live.version) return { kind: "unchanged", version, digest, previous };
    await waitUntilActive(clients, fn, version);
    if (smokeEvent !== undefined) {
      step(`version ${version} answers the smoke event`);
      await smokeCheck(clients, fn, version, smokeEvent);
    }
    await moveAlias(clients, fn, lease, { alias, version, canary, onProgress });
    step(`version ${version} is live`);
    return { kind: "moved", version, digest, previous };
  } catch (error) {
    throw await putBack(clients, fn, lease, alias, live, error, onProgress);
  }
}

/** Whether publishing `$LATEST` could give anything but the version that there is. */
function isSame(latest: FunctionVersion, version: FunctionVersion): boolean {
  return latest.digest === version.digest && isDeepStrictEqual(latest.settings, version.settings);
}

/** An image, and what it runs on. */
type FunctionCode = Pick<FunctionVersion, "digest" | "settings">;

/**
 * Puts the image into `$LATEST`, and waits until Lambda has it. The architecture goes along: Lambda would take an image
 * for another one, and could not run it.
 * @param latest fences the update: it is refused where anything changed since
 */
async function putCode(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  latest: FunctionVersion,
  { digest, settings: { Architectures } }: FunctionCode,
  step: (text: string) => void,
): Promise<FunctionVersion> {
  if (latest.digest === digest) return latest;
  const imageUri = `${await requireRepositoryUri(clients, fn)}@${digest}`;
  step(`the function's code becomes ${digest.slice(0, 19)}`);
  const update = new UpdateFunctionCodeCommand({
    FunctionName: fn.functionName,
    ImageUri: imageUri,
    Architectures,
    RevisionId: latest.revisionId,
  });
  let failure: unknown;
  try {
    await sendWhenIdle(clients, lease, (options) => clients.lambda.send(update, options));
  } catch (error) {
    if (lease.signal.aborted) throw error;
    failure = error;
  }
  const updated = await waitUntilUpdated(clients, fn, failure === undefined ? latest.revisionId : undefined);
  if (updated.digest === digest && updated.lastUpdateStatus !== "Failed") return updated;
  if (failure !== undefined) throw explainFence(failure, fn);
  // Lambda took it, and then something else took its place.
  if (updated.lastUpdateStatus !== "Failed") throw buildChangedOutside(fn, updated.digest);
  throw new CodedError({
    code: "E_CODE_UPDATE_FAILED",
    what: `Lambda did not take the image into ${fn.functionName}`,
    value: updated.lastUpdateStatusReason ?? updated.digest,
    remedy: "See what Lambda says of the image; repair it, then release again.",
  });
}

/**
 * Publishes `$LATEST` as it was read: Lambda refuses where the code or anything else changed since. A repeated attempt
 * may meet a newer revision of the very same thing, and then it goes on with that.
 * @returns the version; Lambda gives the last one again where nothing changed since
 */
async function publishVersion(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  latest: FunctionVersion,
): Promise<string> {
  const publish = new PublishVersionCommand({
    FunctionName: fn.functionName,
    CodeSha256: toCodeSha256(latest.digest),
    RevisionId: latest.revisionId,
  });
  try {
    const { Version: version = "" } = await sendWhenIdle(clients, lease, (options) =>
      clients.lambda.send(publish, options),
    );
    return version;
  } catch (error) {
    if (lease.signal.aborted) throw error;
    const found = await waitUntilUpdated(clients, fn);
    if (found.revisionId === latest.revisionId || !isSame(found, latest)) throw explainFence(error, fn);
    return publishVersion(clients, fn, lease, found);
  }
}

/** For how long Lambda may call a function busy after it has said that no update is under way. */
const longestBusyMs = 30_000;

/** The revision that the request names keeps it from doing anything late that it should not. */
async function sendWhenIdle<T>(
  { clock }: HandoffClients,
  lease: Lease,
  send: Parameters<typeof lease.guard<T>>[0],
): Promise<T> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return await lease.guard(send);
    } catch (error) {
      const isBusy = isAwsError(error, "ResourceConflictException") && /in progress/i.test(error.message);
      if (!isBusy || clock.monotonicMs() - startedMs >= longestBusyMs) throw error;
      await clock.wait(1_000, lease.signal);
    }
  }
}

interface MoveProps {
  readonly alias: FunctionAlias;
  readonly version: string;
  readonly canary: CanaryProps | undefined;
  readonly onProgress: OnProgress;
}

async function moveAlias(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  { alias, version, canary, onProgress }: MoveProps,
): Promise<void> {
  let current = alias;
  if (canary !== undefined) {
    const weights = { [version]: canary.percent / 100 };
    current = await updateAlias(clients, fn, lease, current, { version: current.version, weights });
    await bake(clients, fn, lease, version, canary, onProgress);
  }
  await updateAlias(clients, fn, lease, current, { version, weights: {} });
}

/** What a canary that was killed has left. */
async function giveAllTraffic(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  alias: FunctionAlias,
): Promise<FunctionAlias> {
  if (Object.keys(alias.weights).length === 0) return alias;
  return updateAlias(clients, fn, lease, alias, { version: alias.version, weights: {} });
}

/** @param from fences the update: it is refused where the alias changed since */
export async function updateAlias(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  from: FunctionAlias,
  to: Pick<FunctionAlias, "version" | "weights">,
): Promise<FunctionAlias> {
  const update = new UpdateAliasCommand({
    FunctionName: fn.functionName,
    Name: liveAlias,
    FunctionVersion: to.version,
    RoutingConfig: { AdditionalVersionWeights: to.weights },
    RevisionId: from.revisionId,
  });
  try {
    return toFunctionAlias(await lease.guard((options) => clients.lambda.send(update, options)));
  } catch (error) {
    if (lease.signal.aborted) throw error;
    // The answer may have got lost on its way, and a repeated attempt then meets a newer revision.
    const found = await requireLiveAlias(clients, fn);
    if (found.version === to.version && isDeepStrictEqual(found.weights, to.weights)) return found;
    throw explainFence(error, fn);
  }
}

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html#API_UpdateFunctionCode_Errors */
function explainFence(error: unknown, fn: FunctionOnStage): unknown {
  if (!(error instanceof Error)) return error;
  const isFenced =
    error.name === "PreconditionFailedException" ||
    error.name === "ResourceConflictException" ||
    (error.name === "InvalidParameterValueException" && error.message.startsWith("CodeSHA256"));
  return isFenced ? buildChangedOutside(fn, error.message, error) : error;
}

function buildChangedOutside(fn: FunctionOnStage, value: string, cause?: Error): CodedError {
  return new CodedError({
    code: "E_CHANGED_OUTSIDE",
    what: `${fn.functionName} was changed by something else in the meantime`,
    value,
    remedy: "Find out what changes the function without the lease; run `status`, then run the command again.",
    cause,
  });
}

/**
 * Undoes what a failed {@link makeLive} did: the traffic stays where it was, and `$LATEST` gets the code back that is
 * live. Without the lease nothing is touched.
 * @returns the error to throw; it says whether something had moved and carries what went wrong on the way back
 */
async function putBack(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  alias: FunctionAlias,
  live: FunctionVersion,
  error: unknown,
  onProgress: OnProgress,
): Promise<unknown> {
  if (lease.signal.aborted) return lease.signal.reason;
  try {
    const current = await requireLiveAlias(clients, fn);
    // It did move, though no answer said so: the next run finds it live and finishes.
    if (current.version !== alias.version) return error;
    const hasWeights = Object.keys(current.weights).length > 0;
    if (hasWeights) await giveAllTraffic(clients, fn, lease, current);
    const hasCode = await restoreLatest(clients, fn, lease, live, onProgress);
    return hasWeights || hasCode ? withRolledBack(error) : error;
  } catch (second) {
    return withRolledBack(error, second);
  }
}

/**
 * Puts an image back into `$LATEST` without publishing anything: what CloudFormation's rollback, or a release that
 * failed, may have left there must not stay.
 * @returns whether there was something to put back
 */
export async function restoreLatest(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  code: FunctionCode,
  onProgress: OnProgress = () => {},
): Promise<boolean> {
  const latest = await waitUntilUpdated(clients, fn);
  if (latest.digest === code.digest) return false;
  await putCode(clients, fn, lease, latest, code, (text) =>
    onProgress({ kind: "step", text: `${text} again, which was live` }),
  );
  return true;
}

/** The same failure, with the exit code that says that something had moved, and what went wrong on the way back. */
export function withRolledBack(error: unknown, second?: unknown): unknown {
  const failed = second === undefined ? "" : `; and putting back what was live failed too: ${second}`;
  const causes =
    second === undefined
      ? error
      : new AggregateError([error, second], "the failure, and that of putting back");
  if (error instanceof CodedError) {
    const { code, what, value, remedy } = error;
    return new CodedError({
      code,
      what: `${what}${failed}`,
      value,
      remedy: second === undefined ? remedy : `Run \`status\`. ${remedy}`,
      cause: second === undefined ? (error.cause ?? error) : causes,
      exitCode: exitCodes.rolledBack,
    });
  }
  return new CodedError({
    code: "E_MOVE_FAILED",
    what: `making the image live failed${failed}`,
    value: error instanceof Error ? `${error.name}: ${error.message}` : error,
    remedy: "What was live still is. Run the command again; if it fails again, run `status` and `verify`.",
    cause: causes,
    exitCode: exitCodes.rolledBack,
  });
}
