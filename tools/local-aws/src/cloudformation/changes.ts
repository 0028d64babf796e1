import { evaluate, evaluateCondition, orderResources, type Scope } from "./intrinsics.ts";
import { evaluateOutputs } from "./outputs.ts";
import { findChangedProperties } from "./resource-steps.ts";
import type { ResourceTypes } from "./resources/index.ts";
import type { BuildScope } from "./scope.ts";
import type { Parameters, Stack, StackResource } from "./stack.ts";
import { invalid, parseTemplate, type Template, type TemplateResource } from "./template.ts";

/** What an update would do to one resource, as `DescribeChangeSet` says it. */
export interface ResourceChange {
  readonly Action: "Add" | "Modify" | "Remove";
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  /** `Conditional`: it depends on what another resource turns out to be. */
  readonly Replacement?: "True" | "False" | "Conditional";
  readonly Scope: readonly string[];
  readonly Details: readonly object[];
}

interface Comparison {
  readonly stack: Stack;
  readonly template: Template;
  readonly parameters: Parameters;
  readonly types: ResourceTypes;
  readonly buildScope: BuildScope;
}

/** Stands for what isn't known before another resource is made. */
const unknownOf = (logicalId: string) => `{{known after ${logicalId} is made}}`;
const mentionsUnknown = (value: unknown) => JSON.stringify(value ?? null).includes("{{known after ");

const attributeNames = ["Metadata", "DeletionPolicy", "UpdateReplacePolicy"] as const;

/** @throws ServiceException `ValidationError` where a resource would become one of another type */
export function findChanges(comparison: Comparison): ResourceChange[] {
  const { stack, template, types } = comparison;
  const old = stack.template === "" ? undefined : parseTemplate(stack.template);
  const unknown = new Set<string>();
  const scope = buildForecast(comparison, unknown);
  const changes: ResourceChange[] = [];
  const used = new Set<string>();
  for (const logicalId of orderResources(template)) {
    const definition = template.Resources[logicalId];
    if (definition === undefined) continue;
    if (definition.Condition !== undefined && !evaluateCondition(definition.Condition, scope)) continue;
    used.add(logicalId);
    const before = stack.resources[logicalId];
    const change =
      before === undefined
        ? add(logicalId, definition)
        : modify(logicalId, before, definition, old?.Resources[logicalId], scope, types);
    if (change === undefined) continue;
    changes.push(change);
    if (change.Action === "Add" || change.Replacement !== "False") unknown.add(logicalId);
  }
  for (const [logicalId, { type, physicalId }] of Object.entries(stack.resources)) {
    if (used.has(logicalId)) continue;
    changes.push({
      Action: "Remove",
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      Scope: [],
      Details: [],
    });
  }
  return changes;
}

/** Whether the outputs would be others although no resource is. */
export function hasOtherOutputs({ stack, template, parameters, buildScope }: Comparison): boolean {
  const scope = buildScope({ stack, template, parameters, made: stack.resources });
  return JSON.stringify(evaluateOutputs(template, scope)) !== JSON.stringify(stack.outputs);
}

function buildForecast({ stack, template, parameters, buildScope }: Comparison, unknown: Set<string>): Scope {
  const scope = buildScope({ stack, template, parameters, made: stack.resources });
  return {
    ...scope,
    physicalId: (logicalId) => (unknown.has(logicalId) ? unknownOf(logicalId) : scope.physicalId(logicalId)),
    attribute: (logicalId, name) =>
      unknown.has(logicalId) ? unknownOf(logicalId) : scope.attribute(logicalId, name),
  };
}

function add(logicalId: string, { Type }: TemplateResource): ResourceChange {
  return { Action: "Add", LogicalResourceId: logicalId, ResourceType: Type, Scope: [], Details: [] };
}

function modify(
  logicalId: string,
  before: StackResource,
  definition: TemplateResource,
  old: TemplateResource | undefined,
  scope: Scope,
  types: ResourceTypes,
): ResourceChange | undefined {
  if (before.type !== definition.Type) {
    throw invalid(
      `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${logicalId}]`,
    );
  }
  const properties = (evaluate(definition.Properties ?? {}, scope) ?? {}) as Record<string, unknown>;
  const { update, replacedBy } = types(definition.Type);
  const details = findChangedProperties(before.properties, properties).map((Name) => {
    const replaces = update === undefined || replacedBy.includes(Name);
    const dynamic = mentionsUnknown(properties[Name]);
    const RequiresRecreation = replaces ? (dynamic ? "Conditionally" : "Always") : "Never";
    return {
      Target: { Attribute: "Properties", Name, RequiresRecreation },
      Evaluation: dynamic ? "Dynamic" : "Static",
      ChangeSource: "DirectModification",
    };
  });
  const attributes = attributeNames.filter(
    (name) => JSON.stringify(definition[name]) !== JSON.stringify(old?.[name]),
  );
  if (details.length === 0 && attributes.length === 0) return undefined;
  const recreation = details.map(({ Target }) => Target.RequiresRecreation);
  return {
    Action: "Modify",
    LogicalResourceId: logicalId,
    PhysicalResourceId: before.physicalId,
    ResourceType: before.type,
    Replacement: recreation.includes("Always")
      ? "True"
      : recreation.includes("Conditionally")
        ? "Conditional"
        : "False",
    Scope: [...(details.length > 0 ? ["Properties"] : []), ...attributes],
    Details: [
      ...details,
      ...attributes.map((Attribute) => ({
        Target: { Attribute, RequiresRecreation: "Never" },
        Evaluation: "Static",
        ChangeSource: "DirectModification",
      })),
    ],
  };
}
