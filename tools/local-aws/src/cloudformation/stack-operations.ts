import { takePage } from "../paging.ts";
import type { Operation as ApiOperation, ServiceContext } from "../service.ts";
import type { ChangeSets } from "./change-sets.ts";
import { describeResources, describeStack } from "./describe.ts";
import type { Engine } from "./engine.ts";
import { isBusy, noParameters, type Operation, type Stack, type Stacks } from "./stack.ts";
import { invalid, parseTemplate } from "./template.ts";
import { readTemplate } from "./template-source.ts";

export interface StackProps {
  readonly services: ServiceContext;
  readonly stacks: Stacks;
  readonly changeSets: ChangeSets;
  readonly engine: Engine;
  readonly start: (stack: Stack, operation: Operation, status: string, changes: Partial<Stack>) => void;
}

const eventsPerPage = 100;

export function createStackOperations(props: StackProps): Record<string, ApiOperation> {
  const { services, stacks, changeSets, engine } = props;

  function mustFind(reference: string): Stack {
    const stack = stacks.find(reference);
    if (stack === undefined) throw invalid(`Stack with id ${reference} does not exist`);
    return stack;
  }

  return {
    async DescribeStacks({ StackName }) {
      const found = StackName === undefined ? stacks.list() : [mustFind(StackName)];
      return { Stacks: found.map(describeStack) };
    },

    async ListStacks({ StackStatusFilter = [] }) {
      const summaries = stacks.list().map((stack) => {
        const { StackName, StackId, StackStatus, CreationTime } = describeStack(stack);
        return { StackName, StackId, StackStatus, CreationTime };
      });
      return {
        StackSummaries: summaries.filter(
          ({ StackStatus }) => StackStatusFilter.length === 0 || StackStatusFilter.includes(StackStatus),
        ),
      };
    },

    async DescribeStackEvents({ StackName, NextToken }) {
      const page = takePage(stacks.events(mustFind(StackName).id), eventsPerPage, NextToken);
      const StackEvents = page.items.map((event) => ({ ...event, Timestamp: new Date(event.Timestamp) }));
      return { StackEvents, NextToken: page.nextToken };
    },

    DescribeStackResources: async ({ StackName }) => ({
      StackResources: describeResources(mustFind(StackName)),
    }),

    ListStackResources: async ({ StackName }) => ({
      StackResourceSummaries: describeResources(mustFind(StackName)),
    }),

    async DescribeStackResource({ StackName, LogicalResourceId }) {
      const found = describeResources(mustFind(StackName)).find(
        (resource) => resource.LogicalResourceId === LogicalResourceId,
      );
      if (found === undefined)
        throw invalid(`Resource ${LogicalResourceId} does not exist for stack ${StackName}`);
      return { StackResourceDetail: found };
    },

    async GetTemplate({ StackName, ChangeSetName }) {
      const { template } =
        ChangeSetName === undefined ? mustFind(StackName) : changeSets.mustFind(ChangeSetName, StackName);
      return { TemplateBody: template, StagesAvailable: ["Original", "Processed"] };
    },

    async GetTemplateSummary(input) {
      const stack = input.StackName === undefined ? undefined : mustFind(input.StackName);
      const template = parseTemplate(stack?.template ?? (await readTemplate(services, input, undefined)));
      return {
        Parameters: Object.entries(template.Parameters ?? {}).map(
          ([ParameterKey, { Type, Default, NoEcho = false }]) => ({
            ParameterKey,
            ParameterType: Type,
            DefaultValue: Default,
            NoEcho,
          }),
        ),
        ResourceTypes: [...new Set(Object.values(template.Resources).map(({ Type }) => Type))],
      };
    },

    async UpdateTerminationProtection({ StackName, EnableTerminationProtection }) {
      const stack = mustFind(StackName);
      stacks.save({ ...stack, terminationProtection: String(EnableTerminationProtection) === "true" });
      return { StackId: stack.id };
    },

    async ContinueUpdateRollback({ StackName, ResourcesToSkip = [] }) {
      const stack = mustFind(StackName);
      if (stack.status !== "UPDATE_ROLLBACK_FAILED" || stack.operation === undefined) {
        throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not continue its rollback.`);
      }
      const touched = stack.operation.touched.filter(({ logicalId }) => !ResourcesToSkip.includes(logicalId));
      stacks.save({ ...stack, operation: { ...stack.operation, touched } });
      services.keepAlive(engine.continueRollback(stack.id));
      return {};
    },

    async DeleteStack({ StackName, RetainResources = [] }) {
      const stack = stacks.find(StackName);
      if (stack === undefined || stack.status === "DELETE_COMPLETE") return {};
      if (stack.terminationProtection) {
        throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
      }
      if (stack.status === "DELETE_IN_PROGRESS") return {};
      if (isBusy(stack))
        throw invalid(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`);
      if (RetainResources.length > 0 && stack.status !== "DELETE_FAILED") {
        throw invalid(
          `Invalid operation on stack [${stack.id}]. Specify RetainResources only when the stack is in the DELETE_FAILED state.`,
        );
      }
      const kept = Object.entries(stack.resources).filter(
        ([logicalId]) => !RetainResources.includes(logicalId),
      );
      const operation: Operation = {
        kind: "delete",
        template: stack.template,
        parameters: noParameters,
        tags: [],
        touched: [],
        leftovers: [],
        onFailure: "ROLLBACK",
      };
      props.start(stack, operation, "DELETE_IN_PROGRESS", { resources: Object.fromEntries(kept) });
      return {};
    },
  };
}
