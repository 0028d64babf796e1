import {
  ChangeSetNotFoundException,
  CloudFormationClient,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeStackEventsCommand,
  ExecuteChangeSetCommand,
  type ResourceStatus,
  type StackEvent,
} from "@aws-sdk/client-cloudformation";
import { expect, it } from "vitest";
import { type ExecuteProps, executeChangeSet } from "./change-set.ts";

const StackId = "arn:aws:cloudformation:eu-central-1:111111111111:stack/lambda-app-dev/1";

/** Of the stack itself or of a resource; the SDK's type lacks some statuses of stacks. */
function event(status: string, PhysicalResourceId = StackId): StackEvent {
  const Timestamp = new Date();
  const LogicalResourceId = PhysicalResourceId === StackId ? "lambda-app-dev" : PhysicalResourceId;
  return {
    StackId,
    StackName: "lambda-app-dev",
    EventId: crypto.randomUUID(),
    Timestamp,
    PhysicalResourceId,
    LogicalResourceId,
    ResourceStatus: status as ResourceStatus,
  };
}

const pageSize = 2;

const available = async () => ({ ExecutionStatus: "AVAILABLE" }) as const;

/** Executes against a stack whose events come in these groups, one more with each look at them. */
function execute(...groups: readonly (readonly StackEvent[])[]) {
  return executeDescribed(available, ...groups);
}

function executeDescribed(
  describe: () => Promise<Partial<DescribeChangeSetCommandOutput>>,
  ...groups: readonly (readonly StackEvent[])[]
) {
  return executeWith({}, describe, ...groups);
}

function executeWith(
  props: Partial<ExecuteProps>,
  describe: () => Promise<Partial<DescribeChangeSetCommandOutput>>,
  ...groups: readonly (readonly StackEvent[])[]
) {
  const client = new CloudFormationClient({ region: "eu-central-1" });
  const shown: StackEvent[] = [];
  const executed: ExecuteChangeSetCommand[] = [];
  let looks = 0;
  client.send = async (command: object) => {
    if (command instanceof DescribeChangeSetCommand) return describe();
    if (command instanceof ExecuteChangeSetCommand) {
      executed.push(command);
      return {};
    }
    if (!(command instanceof DescribeStackEventsCommand)) throw new Error(`unexpected: ${command}`);
    const from = Number(command.input.NextToken ?? 0);
    if (from === 0) shown.push(...(groups[looks++] ?? []));
    const NextToken = from + pageSize < shown.length ? String(from + pageSize) : undefined;
    return { StackEvents: shown.toReversed().slice(from, from + pageSize), NextToken };
  };
  const lines: string[] = [];
  const outcome = executeChangeSet(client, {
    stackName: "lambda-app-dev",
    changeSetName: "deploy",
    onEvent: (line) => lines.push(line),
    signal: new AbortController().signal,
    guard: (send) => send({ abortSignal: new AbortController().signal }),
    pollMs: 1,
    ...props,
  });
  return { outcome, lines, executed };
}

it("ends with the end of its own execution, not with one of before that shows late", async () => {
  const { outcome, lines } = execute(
    [event("UPDATE_IN_PROGRESS")],
    [event("UPDATE_COMPLETE")],
    [event("UPDATE_IN_PROGRESS"), event("UPDATE_IN_PROGRESS", "Function")],
    [event("UPDATE_COMPLETE", "Function"), event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")],
    [event("UPDATE_COMPLETE")],
  );
  expect(await outcome).toBe("changed");
  expect(lines).toHaveLength(6);
});

it("fails with what failed, once the rollback is over", async () => {
  const failed = { ...event("UPDATE_FAILED", "Function"), ResourceStatusReason: "no such role" };
  const { outcome } = execute(
    [],
    [event("UPDATE_IN_PROGRESS"), failed, event("UPDATE_ROLLBACK_IN_PROGRESS")],
    [event("UPDATE_COMPLETE", "Function"), event("UPDATE_ROLLBACK_COMPLETE")],
  );
  await expect(outcome).rejects.toMatchObject({
    code: "E_STACK_FAILED",
    exitCode: 2,
    value: "Function: no such role",
  });
});

it.each([
  "The submitted information didn't contain changes. Submit different information to create a change set.",
  "No updates are to be performed.",
])("an empty change set is no change: %s", async (StatusReason) => {
  const describe = async () => ({ Status: "FAILED", ExecutionStatus: "UNAVAILABLE", StatusReason }) as const;
  expect(await executeDescribed(describe).outcome).toBe("unchanged");
});

const otherReason = "Requires capabilities : [CAPABILITY_NAMED_IAM]";
it.each([
  { Status: "FAILED", ExecutionStatus: "UNAVAILABLE", StatusReason: otherReason },
  { Status: "CREATE_COMPLETE", ExecutionStatus: "OBSOLETE", StatusReason: "another was executed" },
] as const)(
  "a change set that can't be carried out is an error: $Status, $ExecutionStatus",
  async (changeSet) => {
    const { Status, ExecutionStatus, StatusReason } = changeSet;
    await expect(executeDescribed(async () => changeSet).outcome).rejects.toMatchObject({
      code: "E_CHANGE_SET_UNUSABLE",
      value: `${Status}, ${ExecutionStatus}: ${StatusReason}`,
    });
  },
);

it("a change set that is not there is an error", async () => {
  const missing = new ChangeSetNotFoundException({
    message: "ChangeSet [deploy] does not exist",
    $metadata: {},
  });
  await expect(executeDescribed(() => Promise.reject(missing)).outcome).rejects.toMatchObject({
    code: "E_CHANGE_SET_UNUSABLE",
    value: "ChangeSetNotFound",
  });
});

const done = [event("UPDATE_IN_PROGRESS"), event("UPDATE_COMPLETE")];

it("begins nothing without the lease", async () => {
  const guard = () => Promise.reject(new Error("the lease is lost"));
  const { outcome, executed } = executeWith({ guard }, available, [], done);
  await expect(outcome).rejects.toThrow("the lease is lost");
  expect(executed).toEqual([]);
});

it("begins nothing once the command is to end", async () => {
  const signal = AbortSignal.abort(new Error("interrupted"));
  const { outcome, executed } = executeWith({ signal }, available, [], done);
  await expect(outcome).rejects.toThrow("interrupted");
  expect(executed).toEqual([]);
});
