import { randomUUID } from "node:crypto";
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetCommandInput,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type Stack,
} from "@aws-sdk/client-cloudformation";
import type { TestServer } from "./test-server.ts";

export type StackInput = Omit<Partial<CreateChangeSetCommandInput>, "TemplateBody">;

/** Stacks by change sets alone, as the CDK CLI makes them. */
export function openStackClient(server: TestServer) {
  const client = new CloudFormationClient(server.clientConfig);

  async function settle(StackName: string): Promise<Stack> {
    for (;;) {
      const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
      const [stack] = Stacks;
      if (stack !== undefined && !stack.StackStatus?.endsWith("_IN_PROGRESS")) return stack;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function find(StackName: string): Promise<Stack | undefined> {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({}));
    return Stacks.find((stack) => stack.StackName === StackName);
  }

  async function prepare(
    StackName: string,
    template: object | string,
    input: StackInput = {},
  ): Promise<DescribeChangeSetCommandOutput> {
    const existing = await find(StackName);
    const { Id } = await client.send(
      new CreateChangeSetCommand({
        StackName,
        ChangeSetName: `change-${randomUUID()}`,
        ChangeSetType:
          existing === undefined || existing.StackStatus === "REVIEW_IN_PROGRESS" ? "CREATE" : "UPDATE",
        TemplateBody: typeof template === "string" ? template : JSON.stringify(template),
        ...input,
      }),
    );
    return client.send(new DescribeChangeSetCommand({ ChangeSetName: Id }));
  }

  return {
    client,
    find,
    prepare,
    settle,
    /** Gives the stack as it settled, for better or worse. */
    async deploy(StackName: string, template: object | string, input: StackInput = {}): Promise<Stack> {
      const { ChangeSetId, StackId, Status, StatusReason } = await prepare(StackName, template, input);
      if (Status !== "CREATE_COMPLETE") throw new Error(StatusReason);
      await client.send(new ExecuteChangeSetCommand({ ChangeSetName: ChangeSetId }));
      return settle(StackId ?? StackName);
    },
    async delete(StackName: string): Promise<Stack> {
      const { StackId = StackName } = (await find(StackName)) ?? {};
      await client.send(new DeleteStackCommand({ StackName }));
      return settle(StackId);
    },
    /** `LogicalId STATUS`, oldest first. */
    async events(StackName: string): Promise<string[]> {
      const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
      return StackEvents.map(
        ({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId} ${ResourceStatus}`,
      ).reverse();
    },
  };
}

export function parameterResource(Name: string, Value: unknown, more: object = {}): object {
  return { Type: "AWS::SSM::Parameter", Properties: { Name, Type: "String", Value }, ...more };
}
