import { GetParameterCommand, GetParameterHistoryCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import type { FunctionOnStage } from "@workspace/shared-config";
import { explainReadFailure, isAwsError, unlessAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import {
  findEffective,
  findValidEntry,
  type LeaseEntry,
  type LeaseState,
  type LeaseVersion,
  noLease,
  readNonce,
} from "./lease-log.ts";

type LeaseClients = Pick<HandoffClients, "ssm" | "clock">;

/** SSM's reads may lag behind its writes: what is older than something that was seen already is read again. */
const mostReads = 8;
const rereadMs = 500;

/** An entry that is not written yet: which version it is based on is for {@link writeEntry} to say. */
export type LeaseDraft = LeaseEntry extends infer E
  ? E extends LeaseEntry
    ? Omit<E, "basedOn">
    : never
  : never;

/**
 * @param atLeast a version that is known to have been written
 * @throws CodedError `E_LEASE_MALFORMED`, `E_LEASE_READ_…`
 */
export async function readLease(
  clients: LeaseClients,
  fn: FunctionOnStage,
  atLeast = 0,
): Promise<LeaseState> {
  for (let reads = 1; ; reads += 1) {
    const state = await readOnce(clients, fn);
    if (state.newestVersion >= atLeast || reads === mostReads) return state;
    await clients.clock.wait(rereadMs);
  }
}

async function readOnce(clients: LeaseClients, fn: FunctionOnStage): Promise<LeaseState> {
  const newest = await readNewest(clients, fn);
  if (newest === undefined) return noLease;
  const entry = findValidEntry(newest, fn.leaseParameter);
  if (entry !== undefined) {
    return { newestVersion: newest.version, effective: { entry, version: newest.version } };
  }
  const history = await readHistory(clients, fn);
  const versions = [newest, ...history].map(({ version }) => version);
  return { newestVersion: Math.max(...versions), effective: findEffective(history) };
}

/**
 * Writes an entry after the state's newest version. Whether it became the effective one shows in the state that
 * comes back: it did unless another entry was written in between.
 *
 * An error leaves open whether the entry was written, so that is read before the error is believed.
 */
export async function writeEntry(
  clients: LeaseClients,
  fn: FunctionOnStage,
  state: LeaseState,
  draft: LeaseDraft,
  abortSignal?: AbortSignal,
): Promise<LeaseState> {
  const entry: LeaseEntry = { ...draft, basedOn: state.newestVersion };
  const put = new PutParameterCommand({
    Name: fn.leaseParameter,
    Type: "String",
    Value: JSON.stringify(entry),
    Overwrite: state.newestVersion > 0,
  });
  let version: number;
  try {
    ({ Version: version = 0 } = await clients.ssm.send(put, { abortSignal }));
  } catch (error) {
    if (abortSignal?.aborted) throw error;
    const collided = isAwsError(error, ...collisions);
    // The other writer is not done yet.
    if (collided) await clients.clock.wait(rereadMs);
    const exists = isAwsError(error, "ParameterAlreadyExists");
    const found = await readLease(clients, fn, Math.max(state.newestVersion, exists ? 1 : 0));
    const wasWritten = isEffective(found, draft) && found.newestVersion > state.newestVersion;
    if (!wasWritten && !collided) throw error;
    return found;
  }
  if (version === state.newestVersion + 1) return { newestVersion: version, effective: { entry, version } };
  return readLease(clients, fn, version);
}

/**
 * Somebody else writes, or has written, at the same time.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html#API_PutParameter_Errors
 */
const collisions = ["ParameterAlreadyExists", "TooManyUpdates"];

/** Whether the effective entry is this acquisition's, or this freeing's. */
export function isEffective({ effective }: LeaseState, draft: LeaseDraft): boolean {
  const nonce = draft.kind === "held" ? draft.holder.nonce : draft.nonce;
  return effective?.entry.kind === draft.kind && readNonce(effective.entry) === nonce;
}

/** The newest version, valid or void or malformed. */
export async function readNewest(
  { ssm }: LeaseClients,
  { leaseParameter: Name }: FunctionOnStage,
): Promise<LeaseVersion | undefined> {
  try {
    const answer = await unlessAwsError(ssm.send(new GetParameterCommand({ Name })), "ParameterNotFound");
    return answer && { version: answer.Parameter?.Version ?? 0, value: answer.Parameter?.Value ?? "" };
  } catch (error) {
    throw explainReadFailure(error, "E_LEASE_READ", `the lease ${Name}`);
  }
}

async function readHistory(
  { ssm }: LeaseClients,
  { leaseParameter: Name }: FunctionOnStage,
): Promise<LeaseVersion[]> {
  const history: LeaseVersion[] = [];
  let NextToken: string | undefined;
  do {
    const page = await unlessAwsError(
      ssm.send(new GetParameterHistoryCommand({ Name, MaxResults: 50, NextToken })),
      "ParameterNotFound",
    );
    for (const { Version = 0, Value = "" } of page?.Parameters ?? [])
      history.push({ version: Version, value: Value });
    NextToken = page?.NextToken;
  } while (NextToken !== undefined);
  return history;
}
