import { randomUUID } from "node:crypto";
import {
  type Operation as ApiOperation,
  refuseOthers,
  type ServiceContext,
  ServiceException,
} from "../service.ts";
import { refuseUnacknowledged } from "./capabilities.ts";
import type { ChangeSet, ChangeSets } from "./change-sets.ts";
import { findChanges, hasOtherOutputs } from "./changes.ts";
import { refuseUncovered } from "./coverage.ts";
import { describeParameters } from "./describe.ts";
import { evaluate, evaluateCondition, orderResources, type Scope } from "./intrinsics.ts";
import { resolveParameters } from "./parameters.ts";
import type { ResourceTypes } from "./resources/index.ts";
import type { BuildScope } from "./scope.ts";
import { isBusy, noParameters, type Operation, type Stack, type Stacks } from "./stack.ts";
import { invalid, parseTemplate, type Template } from "./template.ts";
import { readTemplate } from "./template-source.ts";

export interface ChangeSetProps {
  readonly services: ServiceContext;
  readonly stacks: Stacks;
  readonly changeSets: ChangeSets;
  readonly types: ResourceTypes;
  readonly buildScope: BuildScope;
  /** Begins an operation, and keeps the process alive until the stack has settled. */
  readonly start: (stack: Stack, operation: Operation, status: string, changes: Partial<Stack>) => void;
}

const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

/** What is read of a change set, and what makes no difference here: nothing is imported, what exists is an error. */
const changeSetMembers = [
  "StackName",
  "ChangeSetName",
  "ChangeSetType",
  "Description",
  "ClientToken",
  "TemplateBody",
  "TemplateURL",
  "UsePreviousTemplate",
  "Parameters",
  "Tags",
  "Capabilities",
  "RoleARN",
  "OnStackFailure",
  "IncludeNestedStacks",
  "ImportExistingResources",
  "DeploymentConfig",
];

/** States in which a stack can only be deleted, or has to be rolled back first. */
const unchangeable = ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"];

export function createChangeSetOperations(props: ChangeSetProps): Record<string, ApiOperation> {
  const { services, stacks, changeSets, types, buildScope } = props;
  const { now, accountId, region } = services;

  function buildStack(name: string, type: string, settings: Pick<Stack, "tags" | "capabilities">): Stack {
    const existing = stacks.find(name);
    if (type === "IMPORT") throw invalid("local-aws: change sets of type IMPORT are not covered");
    if (type === "UPDATE" && existing === undefined) throw invalid(`Stack [${name}] does not exist`);
    if (type === "CREATE" && existing !== undefined && existing.status !== "REVIEW_IN_PROGRESS") {
      throw new ServiceException("AlreadyExistsException", `Stack [${name}] already exists`);
    }
    if (existing === undefined) {
      return {
        name,
        id: stacks.buildId(name),
        status: "REVIEW_IN_PROGRESS",
        template: "",
        parameters: noParameters,
        outputs: [],
        imports: [],
        resources: {},
        terminationProtection: false,
        createdAt: now(),
        ...settings,
      };
    }
    refuseUnchangeable(existing);
    return existing;
  }

  return {
    async CreateChangeSet(input) {
      refuseOthers("CreateChangeSet", input, changeSetMembers);
      const { StackName, ChangeSetName, ChangeSetType = "UPDATE", Parameters = [], RoleARN } = input;
      const { Tags: tags = [], Capabilities: capabilities = [] } = input;
      const stack = buildStack(StackName, ChangeSetType, { tags, capabilities });
      if (changeSets.find(ChangeSetName, stack.id) !== undefined) {
        throw new ServiceException(
          "AlreadyExistsException",
          `ChangeSet ${ChangeSetName} cannot be created as a change set with the same name already exists`,
        );
      }
      const text = await readTemplate(services, input, stack.template || undefined);
      const template = parseTemplate(text);
      refuseUnacknowledged(template, capabilities);
      const parameters = await resolveParameters(services, template, Parameters, stack.parameters);
      const scope = buildScope({ stack, template, parameters, made: stack.resources });
      checkRules(template, scope);
      const used = orderResources(template).filter((logicalId) => {
        const { Condition } = template.Resources[logicalId] ?? {};
        return Condition === undefined || evaluateCondition(Condition, scope);
      });
      refuseUncovered(template, used, types);
      const comparison = { stack, template, parameters, types, buildScope };
      const changes = findChanges(comparison);
      const same =
        changes.length === 0 &&
        !hasOtherOutputs(comparison) &&
        JSON.stringify(tags) === JSON.stringify(stack.tags);
      if (stacks.find(stack.id) === undefined)
        stacks.setStatus(stack, "REVIEW_IN_PROGRESS", "User Initiated");
      const changeSet: ChangeSet = {
        id: `arn:aws:cloudformation:${region}:${accountId}:changeSet/${ChangeSetName}/${randomUUID()}`,
        name: ChangeSetName,
        stackId: stack.id,
        status: same ? "FAILED" : "CREATE_COMPLETE",
        ...(same && { statusReason: noChanges }),
        executionStatus: same ? "UNAVAILABLE" : "AVAILABLE",
        template: text,
        parameters,
        tags,
        capabilities,
        roleArn: RoleARN,
        changes,
        onStackFailure: input.OnStackFailure,
        createdAt: now(),
      };
      changeSets.save(changeSet);
      return { Id: changeSet.id, StackId: stack.id };
    },

    async DescribeChangeSet({ ChangeSetName, StackName }) {
      const changeSet = changeSets.mustFind(ChangeSetName, StackName);
      return {
        ...summarize(changeSet),
        StackName: stacks.find(changeSet.stackId)?.name,
        StatusReason: changeSet.statusReason,
        Parameters: describeParameters(changeSet.parameters),
        Tags: changeSet.tags,
        Capabilities: changeSet.capabilities,
        OnStackFailure: changeSet.onStackFailure,
        Changes: changeSet.changes.map((change) => ({ Type: "Resource", ResourceChange: change })),
      };
    },

    async ListChangeSets({ StackName }) {
      const stack = stacks.find(StackName);
      if (stack === undefined) throw invalid(`Stack [${StackName}] does not exist`);
      return { Summaries: changeSets.listOf(stack.id).map(summarize) };
    },

    async ExecuteChangeSet({ ChangeSetName, StackName, DisableRollback }) {
      const changeSet = changeSets.mustFind(ChangeSetName, StackName);
      const stack = stacks.find(changeSet.stackId);
      if (stack === undefined) throw invalid(`Stack [${changeSet.stackId}] does not exist`);
      const { executionStatus } = changeSet;
      if (executionStatus !== "AVAILABLE") {
        throw new ServiceException(
          "InvalidChangeSetStatus",
          `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${executionStatus}]`,
        );
      }
      refuseUnchangeable(stack);
      const creates = stack.status === "REVIEW_IN_PROGRESS";
      const operation: Operation = {
        kind: creates ? "create" : "update",
        template: changeSet.template,
        parameters: changeSet.parameters,
        tags: changeSet.tags,
        touched: [],
        leftovers: [],
        onFailure:
          String(DisableRollback) === "true" ? "DO_NOTHING" : (changeSet.onStackFailure ?? "ROLLBACK"),
      };
      // Every other change set was made against what this one changes.
      for (const other of changeSets.listOf(stack.id)) changeSets.delete(other);
      changeSets.save({ ...changeSet, executionStatus: "EXECUTE_COMPLETE" });
      props.start(stack, operation, creates ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS", {
        changeSetId: changeSet.id,
        capabilities: changeSet.capabilities,
        roleArn: changeSet.roleArn ?? stack.roleArn,
        ...(!creates && { updatedAt: now() }),
      });
      return {};
    },

    async DeleteChangeSet({ ChangeSetName, StackName }) {
      const changeSet = changeSets.find(ChangeSetName, StackName);
      if (changeSet !== undefined) changeSets.delete(changeSet);
      return {};
    },
  };
}

function refuseUnchangeable(stack: Stack): void {
  if (isBusy(stack) || unchangeable.includes(stack.status))
    throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

function checkRules(template: Template, scope: Scope): void {
  for (const { RuleCondition = true, Assertions } of Object.values(template.Rules ?? {})) {
    if (evaluate(RuleCondition, scope) !== true) continue;
    for (const { Assert, AssertDescription = "a rule of the template does not hold" } of Assertions) {
      if (evaluate(Assert, scope) !== true) throw invalid(`Template validation error: ${AssertDescription}`);
    }
  }
}

function summarize({ name, id, stackId, status, executionStatus, createdAt }: ChangeSet) {
  return {
    ChangeSetName: name,
    ChangeSetId: id,
    StackId: stackId,
    Status: status,
    ExecutionStatus: executionStatus,
    CreationTime: new Date(createdAt),
  };
}
