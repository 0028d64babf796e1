import { GetParameterCommand, GetParameterHistoryCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import {
  CodedError,
  exitCodes,
  type FunctionOnStage,
  type ImageTag,
  isImageTag,
  parseImageTag,
} from "@workspace/shared-config";
import { explainReadFailure, unlessAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import type { Lease } from "../lease/lease.ts";

/** The commands that publish a tag. */
export type Publisher = "release" | "rollback" | "promote";

/** One version of the parameter. */
export interface PublishedVersion {
  readonly version: number;
  readonly tag: ImageTag;
  /** @default "release" where the parameter was written by hand */
  readonly publisher: Publisher;
  readonly at: Date | undefined;
}

/**
 * The published tag; `undefined` where the parameter does not exist, and only then.
 * @throws CodedError `E_IMAGE_TAG_MALFORMED`, `E_TAG_READ_DENIED`, `…_THROTTLED`, `…_CREDENTIALS_EXPIRED`,
 * `…_CREDENTIALS_INVALID`, `…_UNREACHABLE`
 */
export async function readPublishedTag(
  clients: Pick<HandoffClients, "ssm">,
  fn: FunctionOnStage,
): Promise<ImageTag | undefined> {
  const raw = await readRawTag(clients, fn);
  return raw && parseTagOf(fn.imageTagParameter, raw.value);
}

/**
 * The parameter as it is, malformed or not: what publishes a tag replaces either.
 * @throws CodedError `E_TAG_READ_…`
 */
export async function readRawTag(
  { ssm }: Pick<HandoffClients, "ssm">,
  { imageTagParameter: Name }: FunctionOnStage,
): Promise<{ readonly value: string; readonly version: number } | undefined> {
  try {
    const answer = await unlessAwsError(ssm.send(new GetParameterCommand({ Name })), "ParameterNotFound");
    return answer && { value: answer.Parameter?.Value ?? "", version: answer.Parameter?.Version ?? 0 };
  } catch (error) {
    throw explainReadFailure(error, "E_TAG_READ", `the published tag ${Name}`);
  }
}

/** Names the parameter beside the value. @throws CodedError `E_IMAGE_TAG_MALFORMED` */
export function parseTagOf(parameter: string, value: string): ImageTag {
  try {
    return parseImageTag(value);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new CodedError({
      code: error.code,
      what: `${parameter} is ${error.what}`,
      value,
      remedy: "Publish a tag again: run `release`, or `rollback --to TAG` with one that `history` shows.",
      cause: error,
    });
  }
}

/** What was published, oldest first: the last 100 at most. Entries that are no tags are left out. */
export async function readPublishedHistory(
  { ssm }: Pick<HandoffClients, "ssm">,
  { imageTagParameter: Name }: FunctionOnStage,
): Promise<PublishedVersion[]> {
  const history: PublishedVersion[] = [];
  let NextToken: string | undefined;
  do {
    const command = new GetParameterHistoryCommand({ Name, MaxResults: 50, NextToken });
    const page = await unlessAwsError(ssm.send(command), "ParameterNotFound");
    for (const { Version = 0, Value = "", Description, LastModifiedDate } of page?.Parameters ?? []) {
      if (!isImageTag(Value)) continue;
      history.push({
        version: Version,
        tag: Value,
        publisher: parsePublisher(Description),
        at: LastModifiedDate,
      });
    }
    NextToken = page?.NextToken;
  } while (NextToken !== undefined);
  return history;
}

const publisherPattern = /^published by (release|rollback|promote)$/;

function parsePublisher(description: string | undefined): Publisher {
  const name = publisherPattern.exec(description ?? "")?.[1];
  return name === "rollback" || name === "promote" ? name : "release";
}

/**
 * Publishes the tag: the last step, once the image has proven itself. Does nothing where it is published already.
 * @returns the parameter's version
 * @throws CodedError `E_LEASE_LOST`, `E_TAG_RACE` when something else wrote the parameter in between
 */
export async function publishTag(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  tag: ImageTag,
  publisher: Publisher,
): Promise<number> {
  const before = await readRawTag(clients, fn);
  if (before?.value === tag) return before.version;
  const put = new PutParameterCommand({
    Name: fn.imageTagParameter,
    Type: "String",
    Value: tag,
    Description: `published by ${publisher}`,
    Overwrite: before !== undefined,
  });
  let failure: unknown;
  try {
    const { Version: version } = await lease.guard((options) => clients.ssm.send(put, options));
    if (version === (before?.version ?? 0) + 1) return version;
  } catch (error) {
    if (lease.signal.aborted) throw error;
    failure = error;
  }
  // An attempt was repeated, or an error left its outcome open, or something else wrote: the history tells.
  const history = await readPublishedHistory(clients, fn);
  const since = history.filter(({ version }) => version > (before?.version ?? 0));
  const newest = since.at(-1);
  if (newest === undefined && failure !== undefined) throw failure;
  if (newest === undefined || since.some((written) => written.tag !== tag)) {
    throw new CodedError({
      code: "E_TAG_RACE",
      what: `something else wrote ${fn.imageTagParameter} while ${tag} was published`,
      value: since.map(({ version, tag: written }) => `${version}: ${written}`),
      remedy: "Find out who writes the parameter by hand; run `status`, then run the command again.",
      exitCode: exitCodes.drift,
    });
  }
  return newest.version;
}
