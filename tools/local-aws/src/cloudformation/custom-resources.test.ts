import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ContinueUpdateRollbackCommand,
  DescribeStackEventsCommand,
  ExecuteChangeSetCommand,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { openStackClient } from "../testing/stacks.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { waitUntil } from "../testing/wait-until.ts";
import { functionResource, uploadCode } from "../testing/zip-function.ts";

/** Notes every request in a file, and answers as its properties say. */
const provider = `
  const { RequestType, ResourceProperties, ResponseURL, PhysicalResourceId } = event;
  const { Log, Id, Answer, BrokenWhile } = ResourceProperties;
  require("node:fs").appendFileSync(Log, RequestType + " " + (PhysicalResourceId ?? "-") + " " + Id + "\\n");
  if (Answer === "never") await new Promise(() => setInterval(() => {}, 60_000));
  if (Answer === "crash") throw new Error("the provider broke");
  const broken = BrokenWhile !== undefined && require("node:fs").existsSync(BrokenWhile);
  const failed = (Answer === "FAILED" || broken) && RequestType !== "Delete";
  await fetch(ResponseURL, { method: "PUT", body: JSON.stringify({
    Status: failed ? "FAILED" : "SUCCESS",
    Reason: "as it was told",
    PhysicalResourceId: Id,
    Data: { Echo: "echo of " + Id },
  }) });
`;

let server: TestServer;
let stacks: ReturnType<typeof openStackClient>;
let providerArn: string;
let directory: string;

beforeAll(async () => {
  server = await startTestServer();
  stacks = openStackClient(server);
  directory = mkdtempSync(join(tmpdir(), "custom-resources-"));
  const code = await uploadCode(server, provider);
  const { Outputs = [] } = await stacks.deploy("provider", {
    Resources: { Provider: functionResource("provider", code) },
    Outputs: { Arn: { Value: { "Fn::GetAtt": ["Provider", "Arn"] } } },
  });
  providerArn = Outputs[0]?.OutputValue ?? "";
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

let log: string;
beforeEach(({ task }) => {
  log = join(directory, task.id);
});

const requests = () => readFileSync(log, "utf8").trimEnd().split("\n");

const custom = (Id: string, more: object = {}) => ({
  Type: "Custom::Thing",
  Properties: { ServiceToken: providerArn, Log: log, Id, ...more },
});

it("asks the provider to create, update and delete, and hands its data on", async () => {
  const template = (id: string) => ({
    Resources: { Thing: custom(id) },
    Outputs: {
      Ref: { Value: { Ref: "Thing" } },
      Echo: { Value: { "Fn::GetAtt": "Thing.Echo" } },
    },
  });
  const created = await stacks.deploy("custom", template("one"));
  expect(created.Outputs?.map(({ OutputValue }) => OutputValue)).toEqual(["one", "echo of one"]);
  const updated = await stacks.deploy("custom", template("two"));
  expect(updated.StackStatus).toBe("UPDATE_COMPLETE");
  expect(updated.Outputs?.map(({ OutputValue }) => OutputValue)).toEqual(["two", "echo of two"]);
  expect((await stacks.delete("custom")).StackStatus).toBe("DELETE_COMPLETE");
  // Another physical id in the answer to an update makes the old resource one to be cleaned up.
  expect(requests()).toEqual(["Create - one", "Update one two", "Delete one one", "Delete two two"]);
});

it("rolls back with the provider's reason when it says FAILED, and has it delete what it named", async () => {
  const stack = await stacks.deploy("failed", { Resources: { Thing: custom("one", { Answer: "FAILED" }) } });
  expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
  const { StackEvents = [] } = await stacks.client.send(
    new DescribeStackEventsCommand({ StackName: "failed" }),
  );
  expect(
    StackEvents.find(({ ResourceStatus }) => ResourceStatus === "CREATE_FAILED")?.ResourceStatusReason,
  ).toContain("Received response status [FAILED] from custom resource. Message returned: as it was told");
  expect(requests()).toEqual(["Create - one", "Delete one one"]);
});

it("goes back to the old values when an update fails", async () => {
  await stacks.deploy("back", { Resources: { Thing: custom("one") } });
  const stack = await stacks.deploy("back", { Resources: { Thing: custom("one", { Answer: "FAILED" }) } });
  expect(stack.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect(requests()).toEqual(["Create - one", "Update one one", "Update one one"]);
});

it("stays where a rollback failed until it is told to continue", async () => {
  const BrokenWhile = `${log}-broken`;
  const template = (Value: string) => ({ Resources: { Thing: custom("one", { Value, BrokenWhile }) } });
  await stacks.deploy("stuck", template("1"));
  writeFileSync(BrokenWhile, "");
  expect((await stacks.deploy("stuck", template("2"))).StackStatus).toBe("UPDATE_ROLLBACK_FAILED");
  await expect(stacks.prepare("stuck", template("3"))).rejects.toThrow("UPDATE_ROLLBACK_FAILED state");
  rmSync(BrokenWhile);
  await stacks.client.send(new ContinueUpdateRollbackCommand({ StackName: "stuck" }));
  expect((await stacks.settle("stuck")).StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect((await stacks.deploy("stuck", template("3"))).StackStatus).toBe("UPDATE_COMPLETE");
});

it("doesn't wait for a provider that broke", async () => {
  const stack = await stacks.deploy("broken", { Resources: { Thing: custom("one", { Answer: "crash" }) } });
  expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
});

it("goes back, at its next start, from what a killed server was doing", async () => {
  const LogGroup = { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "/killed" } };
  await stacks.deploy("killed", { Resources: { LogGroup } });
  const { ChangeSetId } = await stacks.prepare("killed", {
    Resources: {
      LogGroup: { ...LogGroup, Properties: { LogGroupName: "/killed", RetentionInDays: 7 } },
      Thing: { ...custom("one", { Answer: "never" }), DependsOn: "LogGroup" },
    },
  });
  await stacks.client.send(new ExecuteChangeSetCommand({ ChangeSetName: ChangeSetId }));
  await waitUntil(async () => {
    try {
      return requests().length > 0 || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  });
  await server.restart("SIGKILL");
  const stack = await stacks.settle("killed");
  expect(stack.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect((await stacks.events("killed")).slice(-6)).toEqual([
    "Thing CREATE_IN_PROGRESS",
    "killed UPDATE_ROLLBACK_IN_PROGRESS",
    "LogGroup UPDATE_IN_PROGRESS",
    "LogGroup UPDATE_COMPLETE",
    "killed UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "killed UPDATE_ROLLBACK_COMPLETE",
  ]);
});
