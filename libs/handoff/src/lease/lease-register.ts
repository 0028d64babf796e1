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

type LeaseClients = Pick<HandoffClients, "ssm">;

/** An entry that is not written yet: which version it is based on is for {@link writeEntry} to say. */
export type LeaseDraft = LeaseEntry extends infer E
  ? E extends LeaseEntry
    ? Omit<E, "basedOn">
    : never
  : never;

/** @throws CodedError `E_LEASE_MALFORMED`, `E_LEASE_READ_…` */
export async function readLease(clients: LeaseClients, fn: FunctionOnStage): Promise<LeaseState> {
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
  try {
    const { Version: version = 0 } = await clients.ssm.send(put, { abortSignal });
    if (version === state.newestVersion + 1) return { newestVersion: version, effective: { entry, version } };
  } catch (error) {
    if (abortSignal?.aborted) throw error;
    const found = await readLease(clients, fn);
    const wasWritten = isEffective(found, draft) && found.newestVersion > state.newestVersion;
    if (!wasWritten && !isAwsError(error, "ParameterAlreadyExists")) throw error;
    return found;
  }
  return readLease(clients, fn);
}

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
