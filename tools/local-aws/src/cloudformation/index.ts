import { randomUUID } from "node:crypto";
import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { createEngine } from "./engine.ts";
import { evaluate, evaluateCondition, findDependencies, orderResources } from "./intrinsics.ts";
import { createCustomResources, responsePrefix } from "./resources/custom.ts";
import { createResourceTypes, refuseUncovered } from "./resources/index.ts";
import { noParameters, type Operation, openStacks, type Parameters, type Stack } from "./stack.ts";
import { invalid, parseTemplate, type Template } from "./template.ts";

interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly stackId: string;
  readonly status: "CREATE_COMPLETE" | "FAILED";
  readonly statusReason?: string;
  readonly executionStatus: "AVAILABLE" | "UNAVAILABLE" | "EXECUTE_COMPLETE";
  readonly template: string;
  readonly parameters: Parameters;
  readonly tags: readonly object[];
  readonly capabilities: readonly string[];
  readonly roleArn?: string;
  readonly changes: readonly object[];
  readonly onStackFailure?: Operation["onFailure"];
  readonly createdAt: number;
}

const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

/** Stacks by change sets: what the CDK CLI asks for. */
export function createService(context: ServiceContext): Service {
  const { store, now, accountId, region, call } = context;
  const stacks = openStacks(context);
  const custom = createCustomResources(context);
  const types = createResourceTypes(custom.type);
  const engine = createEngine(context, stacks, types);

  function mustFind(reference: string): Stack {
    const stack = stacks.find(reference);
    if (stack === undefined) throw invalid(`Stack with id ${reference} does not exist`);
    return stack;
  }

  function mustFindChangeSet(ChangeSetName: string, StackName?: string): ChangeSet {
    const stackId = StackName === undefined ? undefined : stacks.find(StackName)?.id;
    const key = ChangeSetName.startsWith("arn:")
      ? ChangeSetName
      : store.get<string>(`change set name ${stackId} ${ChangeSetName}`);
    const found = store.get<ChangeSet>(`change set ${key}`);
    if (found === undefined) {
      throw new ServiceException("ChangeSetNotFound", `ChangeSet [${ChangeSetName}] does not exist`, 404);
    }
    return found;
  }

  const isBusy = ({ status }: Stack) => status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";

  function refuseWhileBusy(stack: Stack): void {
    if (isBusy(stack)) throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
  }

  async function readTemplate(
    { TemplateBody, TemplateURL, UsePreviousTemplate }: TemplateInput,
    stack: Stack | undefined,
  ): Promise<string> {
    if (TemplateBody !== undefined) return TemplateBody;
    if (UsePreviousTemplate === "true" && stack !== undefined) return stack.template;
    if (TemplateURL === undefined) throw invalid("Either Template URL or Template Body must be specified.");
    const url = new URL(TemplateURL);
    const path = decodeURIComponent(url.pathname.slice(1));
    const virtual = /^(.+?)\.s3[.-]/.exec(url.host)?.[1];
    const [first = "", ...rest] = path.split("/");
    const target =
      virtual === undefined ? { Bucket: first, Key: rest.join("/") } : { Bucket: virtual, Key: path };
    const { Body } = await call<{ Body: Uint8Array }>("s3", "GetObject", target);
    return Buffer.from(Body).toString();
  }

  async function resolveParameters(
    template: Template,
    chosen: readonly GivenParameter[],
    stack: Stack | undefined,
  ): Promise<Parameters> {
    const given: Record<string, unknown> = {};
    const resolved: Record<string, unknown> = {};
    for (const [name, { Type, Default, AllowedValues }] of Object.entries(template.Parameters ?? {})) {
      const own = chosen.find(({ ParameterKey }) => ParameterKey === name);
      const previous = String(own?.UsePreviousValue) === "true" ? stack?.parameters.given[name] : undefined;
      const value = previous ?? own?.ParameterValue ?? Default;
      if (value === undefined) throw invalid(`Parameters: [${name}] must have values`);
      if (AllowedValues !== undefined && !AllowedValues.map(String).includes(String(value))) {
        throw invalid(`Parameter '${name}' must be one of AllowedValues`);
      }
      given[name] = value;
      resolved[name] = await resolveParameter(name, Type, value);
    }
    return { given, resolved };
  }

  async function resolveParameter(name: string, type: string, value: unknown): Promise<unknown> {
    if (type === "AWS::SSM::Parameter::Value<String>") {
      try {
        const { Parameter } = await call<{ Parameter: { Value: string } }>("ssm", "GetParameter", {
          Name: value,
        });
        return Parameter.Value;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "ParameterNotFound") throw error;
        throw invalid(`Unable to fetch parameters [${String(value)}] from parameter store for this account.`);
      }
    }
    if (type === "CommaDelimitedList")
      return String(value) === ""
        ? []
        : String(value)
            .split(",")
            .map((item) => item.trim());
    if (type === "String" || type === "Number") return value;
    throw invalid(`local-aws: the parameter type ${type} of ${name} is not covered`);
  }

  function checkRules(template: Template, stack: Stack, parameters: Parameters): void {
    const scope = engine.buildScope(stack, template, parameters.resolved, {});
    for (const { RuleCondition = true, Assertions } of Object.values(template.Rules ?? {})) {
      if (evaluate(RuleCondition, scope) !== true) continue;
      for (const { Assert, AssertDescription = "a rule of the template does not hold" } of Assertions) {
        if (evaluate(Assert, scope) !== true)
          throw invalid(`Template validation error: ${AssertDescription}`);
      }
    }
  }

  function findChanges(stack: Stack, template: Template, parameters: Parameters): object[] {
    const old = stack.template === "" ? { Resources: {} } : parseTemplate(stack.template);
    const scope = engine.buildScope(stack, template, parameters.resolved, stack.resources);
    const parametersChanged =
      JSON.stringify(parameters.resolved) !== JSON.stringify(stack.parameters.resolved);
    const changes: object[] = [];
    const changed = new Set<string>();
    for (const logicalId of orderResources(template)) {
      const definition = template.Resources[logicalId];
      if (definition === undefined) continue;
      if (definition.Condition !== undefined && !evaluateCondition(definition.Condition, scope)) continue;
      const before = stack.resources[logicalId];
      const same = JSON.stringify(definition) === JSON.stringify((old as Template).Resources[logicalId]);
      const dependsOnChanged = [...findDependencies(definition, template)].some((needed) =>
        changed.has(needed),
      );
      if (before !== undefined && same && !dependsOnChanged && !parametersChanged) continue;
      if (before !== undefined && same && parametersChanged && !JSON.stringify(definition).includes('"Ref"'))
        continue;
      if (before === undefined) changed.add(logicalId);
      changes.push({
        Type: "Resource",
        ResourceChange: {
          Action: before === undefined ? "Add" : "Modify",
          LogicalResourceId: logicalId,
          ...(before && { PhysicalResourceId: before.physicalId, Replacement: "Conditional" }),
          ResourceType: definition.Type,
          Scope: before === undefined ? [] : ["Properties"],
          Details: [],
        },
      });
    }
    for (const [logicalId, { type, physicalId }] of Object.entries(stack.resources)) {
      const definition = template.Resources[logicalId];
      const stays =
        definition !== undefined &&
        (definition.Condition === undefined || evaluateCondition(definition.Condition, scope));
      if (!stays)
        changes.push({
          Type: "Resource",
          ResourceChange: {
            Action: "Remove",
            LogicalResourceId: logicalId,
            PhysicalResourceId: physicalId,
            ResourceType: type,
            Scope: [],
            Details: [],
          },
        });
    }
    const { Resources: _old, ...oldRest } = old as Template;
    const { Resources: _new, ...newRest } = template;
    if (changes.length === 0 && JSON.stringify(oldRest.Outputs) !== JSON.stringify(newRest.Outputs))
      changes.push({ Type: "Resource" });
    return changes;
  }

  function start(stack: Stack, operation: Operation, status: string, changes: Partial<Stack> = {}): void {
    stacks.setStatus({ ...stack, ...changes, operation }, status, "User Initiated");
    context.keepAlive(engine.run(stack.id));
  }

  const describeStack = (stack: Stack) => ({
    StackName: stack.name,
    StackId: stack.id,
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    Description: stack.description,
    ChangeSetId: stack.changeSetId,
    RoleARN: stack.roleArn,
    Parameters: Object.entries(stack.parameters.given).map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: String(value),
    })),
    Outputs: stack.outputs,
    Tags: stack.tags,
    Capabilities: stack.capabilities,
    EnableTerminationProtection: stack.terminationProtection,
    DisableRollback: false,
    CreationTime: new Date(stack.createdAt),
    LastUpdatedTime: stack.updatedAt === undefined ? undefined : new Date(stack.updatedAt),
    DriftInformation: { StackDriftStatus: "NOT_CHECKED" },
  });

  const describeResources = (stack: Stack) =>
    Object.entries(stack.resources).map(([LogicalResourceId, { type, physicalId, status, updatedAt }]) => ({
      StackName: stack.name,
      StackId: stack.id,
      LogicalResourceId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      ResourceStatus: status,
      Timestamp: new Date(updatedAt),
      LastUpdatedTimestamp: new Date(updatedAt),
    }));

  return {
    routes: { [responsePrefix]: custom.route },
    resume() {
      for (const stack of stacks.list())
        if (stack.operation !== undefined) context.keepAlive(engine.recover(stack.id));
    },
    operations: {
      async CreateChangeSet(input) {
        const {
          StackName,
          ChangeSetName,
          ChangeSetType = "UPDATE",
          Parameters = [],
          Tags = [],
          Capabilities = [],
          RoleARN,
        } = input;
        if (ChangeSetType === "IMPORT")
          throw invalid("local-aws: change sets of type IMPORT are not covered");
        const existing = stacks.find(StackName);
        if (ChangeSetType === "UPDATE" && existing === undefined)
          throw invalid(`Stack [${StackName}] does not exist`);
        if (
          ChangeSetType === "CREATE" &&
          existing !== undefined &&
          existing.status !== "REVIEW_IN_PROGRESS"
        ) {
          throw new ServiceException(
            "AlreadyExistsException",
            `Stack [${StackName}] already exists and cannot be created again with the changeSet [${ChangeSetName}].`,
          );
        }
        const stack: Stack = existing ?? {
          name: StackName,
          id: stacks.buildId(StackName),
          status: "REVIEW_IN_PROGRESS",
          template: "",
          parameters: noParameters,
          outputs: [],
          resources: {},
          tags: Tags,
          capabilities: Capabilities,
          terminationProtection: false,
          createdAt: now(),
        };
        refuseWhileBusy(stack);
        if (
          stack.status === "ROLLBACK_COMPLETE" ||
          stack.status === "ROLLBACK_FAILED" ||
          stack.status === "DELETE_FAILED"
        ) {
          throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
        }
        const text = await readTemplate(input, existing);
        const template = parseTemplate(text);
        const parameters = await resolveParameters(template, Parameters, existing);
        checkRules(template, stack, parameters);
        const scope = engine.buildScope(stack, template, parameters.resolved, {});
        const used = orderResources(template).filter((logicalId) => {
          const { Condition } = template.Resources[logicalId] ?? {};
          return Condition === undefined || evaluateCondition(Condition, scope);
        });
        refuseUncovered(template, used, types);
        if (existing === undefined) stacks.setStatus(stack, "REVIEW_IN_PROGRESS", "User Initiated");
        const changes = findChanges(stack, template, parameters);
        const tagsChanged = JSON.stringify(Tags) !== JSON.stringify(stack.tags);
        const empty = changes.length === 0 && !tagsChanged;
        const id = `arn:aws:cloudformation:${region}:${accountId}:changeSet/${ChangeSetName}/${randomUUID()}`;
        const changeSet: ChangeSet = {
          id,
          name: ChangeSetName,
          stackId: stack.id,
          status: empty ? "FAILED" : "CREATE_COMPLETE",
          ...(empty && { statusReason: noChanges }),
          executionStatus: empty ? "UNAVAILABLE" : "AVAILABLE",
          template: text,
          parameters,
          tags: Tags,
          capabilities: Capabilities,
          roleArn: RoleARN,
          changes,
          onStackFailure: input.OnStackFailure,
          createdAt: now(),
        };
        store.put(`change set ${id}`, changeSet);
        store.put(`change set name ${stack.id} ${ChangeSetName}`, id);
        return { Id: id, StackId: stack.id };
      },
      async DescribeChangeSet({ ChangeSetName, StackName }) {
        const changeSet = mustFindChangeSet(ChangeSetName, StackName);
        return {
          ChangeSetName: changeSet.name,
          ChangeSetId: changeSet.id,
          StackId: changeSet.stackId,
          StackName: stacks.find(changeSet.stackId)?.name,
          Status: changeSet.status,
          StatusReason: changeSet.statusReason,
          ExecutionStatus: changeSet.executionStatus,
          CreationTime: new Date(changeSet.createdAt),
          Parameters: Object.entries(changeSet.parameters.given).map(([ParameterKey, value]) => ({
            ParameterKey,
            ParameterValue: String(value),
          })),
          Tags: changeSet.tags,
          Capabilities: changeSet.capabilities,
          Changes: changeSet.changes,
        };
      },
      async ListChangeSets({ StackName }) {
        const { id } = mustFind(StackName);
        const Summaries = store.keys(`change set name ${id} `).map((key) => {
          const {
            name,
            id: ChangeSetId,
            status,
            executionStatus,
          } = mustFindChangeSet(store.get<string>(key) ?? "");
          return {
            ChangeSetName: name,
            ChangeSetId,
            StackId: id,
            Status: status,
            ExecutionStatus: executionStatus,
          };
        });
        return { Summaries };
      },
      async ExecuteChangeSet({ ChangeSetName, StackName, DisableRollback }) {
        const changeSet = mustFindChangeSet(ChangeSetName, StackName);
        const stack = mustFind(changeSet.stackId);
        if (changeSet.executionStatus !== "AVAILABLE") {
          throw new ServiceException(
            "InvalidChangeSetStatus",
            `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${changeSet.executionStatus}]`,
          );
        }
        refuseWhileBusy(stack);
        const creates = stack.status === "REVIEW_IN_PROGRESS";
        const operation: Operation = {
          kind: creates ? "create" : "update",
          template: changeSet.template,
          parameters: changeSet.parameters,
          tags: changeSet.tags,
          touched: [],
          onFailure:
            String(DisableRollback) === "true" ? "DO_NOTHING" : (changeSet.onStackFailure ?? "ROLLBACK"),
        };
        store.put(`change set ${changeSet.id}`, { ...changeSet, executionStatus: "EXECUTE_COMPLETE" });
        // Every other change set was made against what this one changes.
        for (const key of store.keys(`change set name ${stack.id} `)) {
          if (store.get(key) === changeSet.id) continue;
          store.delete(`change set ${store.get<string>(key)}`);
          store.delete(key);
        }
        start(stack, operation, creates ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS", {
          changeSetId: changeSet.id,
          capabilities: changeSet.capabilities,
          roleArn: changeSet.roleArn ?? stack.roleArn,
          ...(!creates && { updatedAt: now() }),
        });
        return {};
      },
      async DeleteChangeSet({ ChangeSetName, StackName }) {
        const stackId = StackName === undefined ? undefined : stacks.find(StackName)?.id;
        const id = ChangeSetName.startsWith("arn:")
          ? ChangeSetName
          : store.get<string>(`change set name ${stackId} ${ChangeSetName}`);
        const changeSet = store.get<ChangeSet>(`change set ${id}`);
        if (changeSet === undefined) return {};
        store.delete(`change set ${changeSet.id}`);
        store.delete(`change set name ${changeSet.stackId} ${changeSet.name}`);
        return {};
      },
      async DescribeStacks({ StackName }) {
        return {
          Stacks: (StackName === undefined ? stacks.list() : [mustFind(StackName)]).map(describeStack),
        };
      },
      async ListStacks() {
        return {
          StackSummaries: stacks.list().map((stack) => {
            const { StackName, StackId, StackStatus, CreationTime } = describeStack(stack);
            return { StackName, StackId, StackStatus, CreationTime };
          }),
        };
      },
      async DescribeStackEvents({ StackName, NextToken = "0" }) {
        const events = stacks.events(mustFind(StackName).id);
        const from = Number(NextToken);
        const more = from + 100 < events.length;
        const page = events
          .slice(from, from + 100)
          .map((event) => ({ ...event, Timestamp: new Date(event.Timestamp) }));
        return { StackEvents: page, ...(more && { NextToken: String(from + 100) }) };
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
        const template =
          ChangeSetName === undefined
            ? mustFind(StackName).template
            : mustFindChangeSet(ChangeSetName, StackName).template;
        return { TemplateBody: template, StagesAvailable: ["Original", "Processed"] };
      },
      async GetTemplateSummary(input) {
        const stack = input.StackName === undefined ? undefined : mustFind(input.StackName);
        const template = parseTemplate(stack?.template ?? (await readTemplate(input, undefined)));
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
      async DeleteStack({ StackName, RetainResources = [] }) {
        const stack = stacks.find(StackName);
        if (stack === undefined || stack.status === "DELETE_COMPLETE") return {};
        refuseWhileBusy(stack);
        if (stack.terminationProtection) {
          throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
        }
        if (RetainResources.length > 0 && stack.status !== "DELETE_FAILED")
          throw invalid("RetainResources goes with a stack in DELETE_FAILED");
        const resources = Object.fromEntries(
          Object.entries(stack.resources).filter(([logicalId]) => !RetainResources.includes(logicalId)),
        );
        const operation: Operation = {
          kind: "delete",
          template: stack.template,
          parameters: noParameters,
          tags: [],
          touched: [],
          onFailure: "ROLLBACK",
        };
        start({ ...stack, resources }, operation, "DELETE_IN_PROGRESS");
        return {};
      },
    },
  };
}

interface TemplateInput {
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly UsePreviousTemplate?: string;
}

interface GivenParameter {
  readonly ParameterKey: string;
  readonly ParameterValue?: string;
  readonly UsePreviousValue?: unknown;
}
