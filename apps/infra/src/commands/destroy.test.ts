import { DeleteStackCommand, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { buildHandoffClients, type HandoffClients, unlock } from "@workspace/handoff";
import { describe, expect, it } from "vitest";
import { functionOn } from "../testing/templates.ts";
import { describeLeft, destroyFunction } from "./destroy.ts";

const fn = functionOn("dev");

/** An account that has the function's lease and its stack. */
function openAccount({
  afterDelete = "DELETE_COMPLETE",
  onDescribe = async (_by: HandoffClients) => {},
} = {}) {
  const clients = buildHandoffClients({ region: fn.stage.region });
  const lease: (string | undefined)[] = [];
  clients.ssm.send = async (command: object) => {
    if (command instanceof PutParameterCommand) return { Version: lease.push(command.input.Value) };
    if (!(command instanceof GetParameterCommand)) throw new Error(`unexpected: ${command}`);
    if (lease.length > 0) return { Parameter: { Value: lease.at(-1), Version: lease.length } };
    throw Object.assign(new Error("no lease"), { name: "ParameterNotFound" });
  };
  const stack = { status: "UPDATE_COMPLETE" };
  clients.cloudformation.send = async (command: object) => {
    if (command instanceof DeleteStackCommand) stack.status = afterDelete;
    if (command instanceof DescribeStacksCommand) await onDescribe(clients);
    return { Stacks: [{ StackStatus: stack.status }] };
  };
  const props = { onProgress: () => {}, signal: new AbortController().signal };
  return { stack, destroy: () => destroyFunction(clients, fn, props) };
}

describe("destroyFunction", () => {
  it("is done once the stack is gone", async () => {
    const { destroy, stack } = openAccount();
    await destroy();
    expect(stack.status).toBe("DELETE_COMPLETE");
  });

  it("fails where CloudFormation could not delete the stack", async () => {
    const { destroy } = openAccount({ afterDelete: "DELETE_FAILED" });
    await expect(destroy()).rejects.toMatchObject({ code: "E_DESTROY_FAILED", value: "DELETE_FAILED" });
  });

  it("deletes nothing once the lease is lost", async () => {
    const onDescribe = async (by: HandoffClients) => void (await unlock(by, fn));
    const { destroy, stack } = openAccount({ onDescribe });
    await expect(destroy()).rejects.toMatchObject({ code: "E_LEASE_LOST" });
    expect(stack.status).toBe("UPDATE_COMPLETE");
  });
});

it("says of each thing that stays how it is removed", () => {
  const left = describeLeft(fn);
  expect(left.map(({ what }) => what).join("\n")).toContain("/lambda-app/dev/image-tag");
  expect(left.map(({ what }) => what).join("\n")).toContain("repository lambda-app-dev");
  for (const { removedBy } of left) expect(removedBy).toMatch(/^aws /);
});
