import {
  type CloudFormationClient,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  ExecuteChangeSetCommand,
  type StackEvent,
} from "@aws-sdk/client-cloudformation";
import { type Lease, unlessAwsError } from "@workspace/handoff";
import { CodedError, exitCodes } from "@workspace/shared-config";

export interface ExecuteProps {
  readonly stackName: string;
  readonly changeSetName: string;
  /** Hears every event of the stack, as it comes. */
  readonly onEvent: (line: string) => void;
  /** Aborted: nothing is begun any more. What CloudFormation has begun goes on. */
  readonly signal: AbortSignal;
  /** Of the lease: what sets CloudFormation going is sent through it. */
  readonly guard: Lease["guard"];
  /** @default 1000 */
  readonly pollMs?: number;
}

/**
 * Carries a prepared change set out, and waits for its end. The CDK CLI only prepares: a CLI that outlives a killed
 * `deploy` can't move anything then.
 *
 * The end is told by the stack's events alone. Its status may be read as it was before the execution began, which would
 * look like the end of it.
 * @throws CodedError `E_STACK_FAILED`, exit code 2: CloudFormation has rolled back; `E_CHANGE_SET_UNUSABLE`
 */
export async function executeChangeSet(
  client: CloudFormationClient,
  props: ExecuteProps,
): Promise<"changed" | "unchanged"> {
  const { stackName: StackName, changeSetName: ChangeSetName, onEvent, signal, guard, pollMs = 1000 } = props;
  if (!(await hasChanges(client, StackName, ChangeSetName))) return "unchanged";
  const { StackEvents: before = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  const seen = new Set(before.map(({ EventId }) => EventId));
  signal.throwIfAborted();
  const execute = new ExecuteChangeSetCommand({
    StackName,
    ChangeSetName,
    ClientRequestToken: crypto.randomUUID(),
  });
  await guard((options) => client.send(execute, options));
  const failures: string[] = [];
  let hasBegun = false;
  for (;;) {
    for (const event of await listNewEvents(client, StackName, seen)) {
      seen.add(event.EventId);
      onEvent(describeEvent(event));
      const { ResourceStatus: status = "", LogicalResourceId, ResourceStatusReason } = event;
      if (status.endsWith("_FAILED")) failures.push(`${LogicalResourceId}: ${ResourceStatusReason}`);
      if (event.PhysicalResourceId !== event.StackId) continue;
      if (status === "CREATE_IN_PROGRESS" || status === "UPDATE_IN_PROGRESS") hasBegun = true;
      if (!hasBegun || status.endsWith("_IN_PROGRESS")) continue;
      if (status === "CREATE_COMPLETE" || status === "UPDATE_COMPLETE") return "changed";
      throw new CodedError({
        code: "E_STACK_FAILED",
        what: `CloudFormation could not bring ${StackName} to the template: ${status}`,
        value: failures.join("\n"),
        remedy: "Mend what failed, and deploy again. What was live still is.",
        exitCode: exitCodes.rolledBack,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/**
 * CloudFormation marks an empty change set as failed, for a reason that begins so. Where the CDK CLI only prepares, it
 * makes a change set in any case, and leaves an empty one; it knows it by the same words.
 * @see https://github.com/aws/aws-cdk-cli/blob/main/packages/@aws-cdk/toolkit-lib/lib/api/diagnosing/stack-diagnoser.ts
 */
const emptyReasons = ["The submitted information didn't contain changes.", "No updates are to be performed."];

async function hasChanges(
  client: CloudFormationClient,
  StackName: string,
  ChangeSetName: string,
): Promise<boolean> {
  const changeSet = await unlessAwsError(
    client.send(new DescribeChangeSetCommand({ StackName, ChangeSetName })),
    "ChangeSetNotFound",
    "ChangeSetNotFoundException",
  );
  const { ExecutionStatus, Status, StatusReason = "" } = changeSet ?? {};
  if (ExecutionStatus === "AVAILABLE") return true;
  if (Status === "FAILED" && emptyReasons.some((reason) => StatusReason.startsWith(reason))) return false;
  throw new CodedError({
    code: "E_CHANGE_SET_UNUSABLE",
    what: `the change set ${ChangeSetName} of ${StackName} was prepared, and can't be carried out`,
    value: changeSet === undefined ? "ChangeSetNotFound" : `${Status}, ${ExecutionStatus}: ${StatusReason}`,
    remedy: "Mend what it says, if anything, and deploy again: that prepares a new one.",
  });
}

/** Those that were not seen yet, oldest first. A stack that is new has some already: a change set was made for it. */
async function listNewEvents(
  client: CloudFormationClient,
  StackName: string,
  seen: ReadonlySet<string | undefined>,
): Promise<StackEvent[]> {
  const events: StackEvent[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new DescribeStackEventsCommand({ StackName, NextToken }));
    const { StackEvents = [] } = page;
    const fresh = StackEvents.filter(({ EventId }) => !seen.has(EventId));
    events.push(...fresh);
    // They come newest first, so that what follows a known one is known.
    NextToken = fresh.length === StackEvents.length ? page.NextToken : undefined;
  } while (NextToken !== undefined);
  return events.reverse();
}

function describeEvent({
  ResourceStatus,
  ResourceType,
  LogicalResourceId,
  ResourceStatusReason,
}: StackEvent): string {
  return [ResourceStatus, ResourceType, LogicalResourceId, ResourceStatusReason].filter(Boolean).join("  ");
}
