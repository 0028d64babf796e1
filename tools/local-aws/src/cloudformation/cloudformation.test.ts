import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  UpdateTerminationProtectionCommand,
} from "@aws-sdk/client-cloudformation";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStackClient, parameterResource } from "../testing/stacks.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let stacks: ReturnType<typeof openStackClient>;
let ssm: SSMClient;

beforeAll(async () => {
  server = await startTestServer();
  stacks = openStackClient(server);
  ssm = new SSMClient(server.clientConfig);
  await ssm.send(new PutParameterCommand({ Name: "/impossible", Type: "String", Value: "taken" }));
});
afterAll(() => server.stop());

async function readParameter(Name: string): Promise<string | undefined> {
  try {
    return (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  } catch (error) {
    if (error instanceof Error && error.name === "ParameterNotFound") return undefined;
    throw error;
  }
}

/** Can't be created: the name is taken. */
const impossible = (...DependsOn: string[]) => parameterResource("/impossible", "1", { DependsOn });

describe("a first deploy", () => {
  it("makes resources in the order of their references, and gives outputs", async () => {
    const stack = await stacks.deploy("order", {
      Resources: {
        Second: parameterResource("/order/second", {
          "Fn::Sub": "after $" + "{First} in $" + "{AWS::Region}",
        }),
        First: parameterResource("/order/first", "1"),
      },
      Outputs: { Name: { Value: { Ref: "Second" }, Export: { Name: "order-name" } } },
    });
    expect(stack.StackStatus).toBe("CREATE_COMPLETE");
    expect(stack.Outputs).toMatchObject([
      { OutputKey: "Name", OutputValue: "/order/second", ExportName: "order-name" },
    ]);
    expect(await readParameter("/order/second")).toBe("after /order/first in eu-central-1");
    expect(await stacks.events("order")).toEqual([
      "order REVIEW_IN_PROGRESS",
      "order CREATE_IN_PROGRESS",
      "First CREATE_IN_PROGRESS",
      "First CREATE_COMPLETE",
      "Second CREATE_IN_PROGRESS",
      "Second CREATE_COMPLETE",
      "order CREATE_COMPLETE",
    ]);
  });

  it("takes YAML with short forms, conditions, mappings and parameters of the store", async () => {
    await ssm.send(new PutParameterCommand({ Name: "/yaml/source", Type: "String", Value: "stored" }));
    const template = `
Parameters:
  Stored: { Type: "AWS::SSM::Parameter::Value<String>", Default: /yaml/source }
  Stage: { Type: String, AllowedValues: [dev, prod] }
Mappings:
  Sizes: { dev: { memory: 128 }, prod: { memory: 512 } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsNotProd: !Not [!Condition IsProd]
Resources:
  Value:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /yaml/value
      Type: String
      Value: !Join ["-", [!Ref Stored, !FindInMap [Sizes, !Ref Stage, memory], !If [IsProd, a, b]]]
      Description: !If [IsProd, !Ref "AWS::NoValue", !Select [1, !Split [".", "x.y"]]]
  Unused:
    Type: AWS::SSM::Parameter
    Condition: IsProd
    Properties: { Name: /yaml/unused, Type: String, Value: "1" }
Outputs:
  Unused: { Condition: IsProd, Value: !Ref Unused }
  Used: { Condition: IsNotProd, Value: !GetAtt Value.Value }
`;
    const stack = await stacks.deploy("yaml", template, {
      Parameters: [{ ParameterKey: "Stage", ParameterValue: "dev" }],
    });
    expect(stack.StackStatus).toBe("CREATE_COMPLETE");
    expect(await readParameter("/yaml/value")).toBe("stored-128-b");
    expect(await readParameter("/yaml/unused")).toBeUndefined();
    expect(stack.Outputs?.map(({ OutputKey }) => OutputKey)).toEqual(["Used"]);
    expect(stack.Parameters).toContainEqual({
      ParameterKey: "Stored",
      ParameterValue: "/yaml/source",
      ResolvedValue: "stored",
    });
    const { TemplateBody } = await stacks.client.send(new GetTemplateCommand({ StackName: "yaml" }));
    expect(TemplateBody).toBe(template);
  });

  it("goes back to nothing when a resource fails, except to what is to be retained", async () => {
    const stack = await stacks.deploy("failed-first", {
      Resources: {
        Gone: parameterResource("/failed-first/gone", "1"),
        Kept: parameterResource("/failed-first/kept", "1", { DeletionPolicy: "Retain" }),
        OnlyLater: parameterResource("/failed-first/only-later", "1", {
          DeletionPolicy: "RetainExceptOnCreate",
        }),
        Impossible: impossible("Gone", "Kept", "OnlyLater"),
      },
    });
    expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
    expect(await readParameter("/failed-first/gone")).toBeUndefined();
    expect(await readParameter("/failed-first/kept")).toBe("1");
    expect(await readParameter("/failed-first/only-later")).toBeUndefined();
    await expect(
      stacks.deploy("failed-first", { Resources: { A: parameterResource("/a", "1") } }),
    ).rejects.toThrow("is in ROLLBACK_COMPLETE state and can not be updated");
    expect((await stacks.delete("failed-first")).StackStatus).toBe("DELETE_COMPLETE");
    expect(await readParameter("/failed-first/kept")).toBe("1");
  });

  it("leaves alone what someone else has under the name that it wanted", async () => {
    await ssm.send(new PutParameterCommand({ Name: "/taken", Type: "String", Value: "theirs" }));
    const stack = await stacks.deploy("taken", { Resources: { Taken: parameterResource("/taken", "ours") } });
    expect(stack.StackStatus).toBe("ROLLBACK_COMPLETE");
    expect(await readParameter("/taken")).toBe("theirs");
  });

  it("leaves no stack behind with OnStackFailure=DELETE, and what there is with DO_NOTHING", async () => {
    const template = {
      Resources: { One: parameterResource("/on-failure/one", "1"), Impossible: impossible("One") },
    };
    const deleted = await stacks.deploy("on-failure", template, { OnStackFailure: "DELETE" });
    expect(deleted.StackStatus).toBe("DELETE_COMPLETE");
    expect(await readParameter("/on-failure/one")).toBeUndefined();

    const left = await stacks.deploy("on-failure", template, { OnStackFailure: "DO_NOTHING" });
    expect(left.StackStatus).toBe("CREATE_FAILED");
    expect(await readParameter("/on-failure/one")).toBe("1");
    const mended = await stacks.deploy("on-failure", {
      Resources: {
        One: parameterResource("/on-failure/one", "1"),
        Impossible: parameterResource("/on-failure/possible", "1"),
      },
    });
    expect(mended.StackStatus).toBe("UPDATE_COMPLETE");
  });
});

describe("an update", () => {
  it("says that nothing changed", async () => {
    const template = { Resources: { One: parameterResource("/same/one", "1") } };
    await stacks.deploy("same", template);
    const changeSet = await stacks.prepare("same", template);
    expect(changeSet).toMatchObject({
      Status: "FAILED",
      ExecutionStatus: "UNAVAILABLE",
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    await stacks.client.send(new DeleteChangeSetCommand({ ChangeSetName: changeSet.ChangeSetId }));
    await expect(
      stacks.client.send(new DescribeChangeSetCommand({ ChangeSetName: changeSet.ChangeSetId })),
    ).rejects.toMatchObject({ name: "ChangeSetNotFoundException", $metadata: { httpStatusCode: 404 } });
  });

  it("changes in place, replaces, adds and removes, and says so beforehand", async () => {
    await stacks.deploy("update", {
      Resources: {
        Changed: parameterResource("/update/changed", "1"),
        Replaced: parameterResource("/update/replaced-1", "1"),
        Orphaned: parameterResource("/update/orphaned-1", "1", { UpdateReplacePolicy: "Retain" }),
        Removed: parameterResource("/update/removed", "1"),
        User: parameterResource("/update/user", { Ref: "Replaced" }),
      },
    });
    const template = {
      Resources: {
        Changed: parameterResource("/update/changed", "2"),
        Replaced: parameterResource("/update/replaced-2", "1"),
        Orphaned: parameterResource("/update/orphaned-2", "1", { UpdateReplacePolicy: "Retain" }),
        Added: parameterResource("/update/added", "1"),
        User: parameterResource("/update/user", { Ref: "Replaced" }),
      },
    };
    const { Changes = [] } = await stacks.prepare("update", template);
    const said = Changes.map(({ ResourceChange }) =>
      [ResourceChange?.LogicalResourceId, ResourceChange?.Action, ResourceChange?.Replacement].join(" "),
    );
    expect(said.sort()).toEqual([
      "Added Add ",
      "Changed Modify False",
      "Orphaned Modify True",
      "Removed Remove ",
      "Replaced Modify True",
      "User Modify False",
    ]);

    const stack = await stacks.deploy("update", template);
    expect(stack.StackStatus).toBe("UPDATE_COMPLETE");
    const values = ["changed", "replaced-1", "replaced-2", "orphaned-1", "removed", "added", "user"].map(
      async (name) => [name, await readParameter(`/update/${name}`)],
    );
    expect(Object.fromEntries(await Promise.all(values))).toEqual({
      changed: "2",
      "replaced-1": undefined,
      "replaced-2": "1",
      "orphaned-1": "1",
      removed: undefined,
      added: "1",
      user: "/update/replaced-2",
    });
    expect(await stacks.events("update")).toContain("update UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
  });

  it("is rolled back to the last template's values, of what it touched and nothing else", async () => {
    await stacks.deploy("rollback", {
      Resources: {
        Touched: parameterResource("/rollback/touched", "1"),
        Untouched: parameterResource("/rollback/untouched", "1"),
        Removed: parameterResource("/rollback/removed", "1"),
        Replaced: parameterResource("/rollback/replaced-1", "1"),
      },
    });
    for (const name of ["touched", "untouched"]) {
      const Name = `/rollback/${name}`;
      await ssm.send(new PutParameterCommand({ Name, Value: "by hand", Overwrite: true }));
    }
    const stack = await stacks.deploy("rollback", {
      Resources: {
        Touched: parameterResource("/rollback/touched", "2"),
        Untouched: parameterResource("/rollback/untouched", "1"),
        Replaced: parameterResource("/rollback/replaced-2", "1"),
        Added: parameterResource("/rollback/added", "1"),
        Impossible: impossible("Touched", "Replaced", "Added"),
      },
    });
    expect(stack.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect(await readParameter("/rollback/touched")).toBe("1");
    expect(await readParameter("/rollback/untouched")).toBe("by hand");
    expect(await readParameter("/rollback/removed")).toBe("1");
    expect(await readParameter("/rollback/replaced-1")).toBe("1");
    expect(await readParameter("/rollback/replaced-2")).toBeUndefined();
    expect(await readParameter("/rollback/added")).toBeUndefined();
    const { StackResourceSummaries = [] } = await stacks.client.send(
      new ListStackResourcesCommand({ StackName: "rollback" }),
    );
    expect(StackResourceSummaries.map(({ PhysicalResourceId }) => PhysicalResourceId).sort()).toEqual([
      "/rollback/removed",
      "/rollback/replaced-1",
      "/rollback/touched",
      "/rollback/untouched",
    ]);
  });

  it("is refused while another one's change set was executed", async () => {
    const template = (value: string) => ({ Resources: { One: parameterResource("/stale/one", value) } });
    await stacks.deploy("stale", template("1"));
    const stale = await stacks.prepare("stale", template("2"));
    await stacks.deploy("stale", template("3"));
    await expect(
      stacks.client.send(new DescribeChangeSetCommand({ ChangeSetName: stale.ChangeSetId })),
    ).rejects.toMatchObject({ name: "ChangeSetNotFoundException" });
  });

  it("can't make a resource one of another type", async () => {
    await stacks.deploy("retyped", { Resources: { One: parameterResource("/retyped/one", "1") } });
    await expect(
      stacks.prepare("retyped", { Resources: { One: { Type: "AWS::Logs::LogGroup", Properties: {} } } }),
    ).rejects.toThrow("Update of resource type is not permitted");
  });
});

describe("exports", () => {
  it("stay while another stack uses them", async () => {
    const exporter = (value: string, name = "shared-value") => ({
      Resources: { Own: parameterResource("/exports/own", "1") },
      Outputs: { Shared: { Value: value, Export: { Name: name } } },
    });
    await stacks.deploy("exporter", exporter("1"));
    await stacks.deploy("importer", {
      Resources: { Used: parameterResource("/exports/used", { "Fn::ImportValue": "shared-value" }) },
    });
    expect(await readParameter("/exports/used")).toBe("1");

    const changed = await stacks.deploy("exporter", exporter("2"));
    expect(changed.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect((await stacks.delete("exporter")).StackStatusReason).toBe(
      "Export shared-value cannot be deleted as it is in use by importer",
    );
    const twice = await stacks.deploy("exporter-2", {
      Resources: { Own: parameterResource("/exports/own-2", "1") },
      Outputs: { Shared: { Value: "3", Export: { Name: "shared-value" } } },
    });
    expect(twice.StackStatus).toBe("ROLLBACK_COMPLETE");
    await stacks.delete("importer");
    expect((await stacks.delete("exporter")).StackStatus).toBe("DELETE_COMPLETE");
  });
});

describe("what isn't covered", () => {
  const refused: [string, object, string][] = [
    ["a type", { Resources: { A: { Type: "AWS::SQS::Queue" } } }, "AWS::SQS::Queue is not covered"],
    [
      "a property",
      {
        Resources: { A: parameterResource("/a", "1"), B: { Type: "AWS::S3::Bucket", Properties: { X: 1 } } },
      },
      "B (AWS::S3::Bucket): X is not covered",
    ],
    [
      "a function",
      { Resources: { A: parameterResource("/a", { "Fn::Cidr": ["10.0.0.0/8", 1, 8] }) } },
      "Fn::Cidr is not covered",
    ],
    [
      "a dynamic reference",
      { Resources: { A: parameterResource("/a", "{{resolve:ssm:/b}}") } },
      "dynamic references are not covered",
    ],
    ["a section", { Transform: "X", Resources: { A: parameterResource("/a", "1") } }, "section Transform"],
    [
      "a reference to nothing",
      { Resources: { A: parameterResource("/a", { "Fn::Sub": "$" + "{Nothing.Arn}" }) } },
      "Unresolved resource dependencies [Nothing]",
    ],
    [
      "a circle",
      {
        Resources: {
          A: parameterResource("/a", { Ref: "B" }),
          B: parameterResource("/b", { Ref: "A" }),
        },
      },
      "Circular dependency",
    ],
    [
      "a parameter without a value",
      { Parameters: { P: { Type: "String" } }, Resources: { A: parameterResource("/a", "1") } },
      "Parameters: [P] must have values",
    ],
    [
      "a type of parameter",
      {
        Parameters: { P: { Type: "AWS::EC2::VPC::Id", Default: "x" } },
        Resources: { A: parameterResource("/a", "1") },
      },
      "the parameter type AWS::EC2::VPC::Id of P is not covered",
    ],
    [
      "a parameter that is not to be shown",
      {
        Parameters: { P: { Type: "String", Default: "x", NoEcho: true } },
        Resources: { A: parameterResource("/a", "1") },
      },
      "NoEcho, of the parameter P, is not covered",
    ],
  ];

  it.each(refused)("%s is refused by name, and no stack is made", async (_what, template, said) => {
    await expect(stacks.prepare("refused", template)).rejects.toThrow(said);
    expect(await stacks.find("refused")).toBeUndefined();
  });

  it("refuses an unknown action by name, in the protocol that was spoken", async () => {
    const { EstimateTemplateCostCommand } = await import("@aws-sdk/client-cloudformation");
    await expect(stacks.client.send(new EstimateTemplateCostCommand({ TemplateBody: "{}" }))).rejects.toThrow(
      "cloudformation has no EstimateTemplateCost",
    );
  });
});

describe("deleting", () => {
  it("removes what isn't retained, and is refused under termination protection", async () => {
    await stacks.deploy("deleted", {
      Resources: {
        Gone: parameterResource("/deleted/gone", "1"),
        Kept: parameterResource("/deleted/kept", "1", { DeletionPolicy: "RetainExceptOnCreate" }),
      },
    });
    const protect = (EnableTerminationProtection: boolean) =>
      stacks.client.send(
        new UpdateTerminationProtectionCommand({ StackName: "deleted", EnableTerminationProtection }),
      );
    await protect(true);
    await expect(stacks.delete("deleted")).rejects.toThrow("TerminationProtection is enabled");
    await protect(false);
    expect((await stacks.delete("deleted")).StackStatus).toBe("DELETE_COMPLETE");
    expect(await readParameter("/deleted/gone")).toBeUndefined();
    expect(await readParameter("/deleted/kept")).toBe("1");
    await expect(stacks.client.send(new DescribeStacksCommand({ StackName: "deleted" }))).rejects.toThrow(
      "Stack with id deleted does not exist",
    );
  });

  it("says nothing about a stack that never was", async () => {
    await stacks.delete("never").catch((error) => {
      expect(error.message).toContain("does not exist");
    });
  });
});

it("refuses a second change set of the same name", async () => {
  const input = {
    StackName: "twice",
    ChangeSetName: "same",
    ChangeSetType: "CREATE" as const,
    TemplateBody: JSON.stringify({ Resources: { A: parameterResource("/twice/a", "1") } }),
  };
  await stacks.client.send(new CreateChangeSetCommand(input));
  await expect(stacks.client.send(new CreateChangeSetCommand(input))).rejects.toMatchObject({
    name: "AlreadyExistsException",
  });
});
