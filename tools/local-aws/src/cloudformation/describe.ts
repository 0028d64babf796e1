import type { Parameters, Stack } from "./stack.ts";

export function describeParameters({ given, resolved }: Parameters) {
  return Object.entries(given).map(([ParameterKey, value]) => ({
    ParameterKey,
    ParameterValue: String(value),
    ...(value !== resolved[ParameterKey] && { ResolvedValue: String(resolved[ParameterKey]) }),
  }));
}

export function describeStack(stack: Stack) {
  return {
    StackName: stack.name,
    StackId: stack.id,
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    Description: stack.description,
    ChangeSetId: stack.changeSetId,
    RoleARN: stack.roleArn,
    Parameters: describeParameters(stack.parameters),
    Outputs: stack.outputs,
    Tags: stack.tags,
    Capabilities: stack.capabilities,
    EnableTerminationProtection: stack.terminationProtection,
    DisableRollback: false,
    CreationTime: new Date(stack.createdAt),
    LastUpdatedTime: stack.updatedAt === undefined ? undefined : new Date(stack.updatedAt),
    DriftInformation: { StackDriftStatus: "NOT_CHECKED" },
  };
}

export function describeResources(stack: Stack) {
  return Object.entries(stack.resources).map(
    ([LogicalResourceId, { type, physicalId, status, updatedAt }]) => ({
      StackName: stack.name,
      StackId: stack.id,
      LogicalResourceId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      ResourceStatus: status,
      Timestamp: new Date(updatedAt),
      LastUpdatedTimestamp: new Date(updatedAt),
    }),
  );
}
