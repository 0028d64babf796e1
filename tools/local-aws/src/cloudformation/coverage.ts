import { findSubstituted, isCovered } from "./intrinsics.ts";
import { isCustom, type ResourceTypes } from "./resources/index.ts";
import { invalid, type Template } from "./template.ts";

/**
 * Refuses what isn't covered here, and what refers to nothing, before anything is made: types, properties, intrinsic
 * functions, dynamic references.
 * @param logicalIds the resources whose condition holds
 * @throws ServiceException `ValidationError` that names it
 */
export function refuseUncovered(
  template: Template,
  logicalIds: readonly string[],
  types: ResourceTypes,
): void {
  for (const logicalId of logicalIds) {
    const { Type, Properties = {} } = template.Resources[logicalId] ?? { Type: "" };
    const { properties } = types(Type);
    if (isCustom(Type)) continue;
    const unknown = Object.keys(Properties).filter((name) => !properties.includes(name));
    if (unknown.length > 0) {
      throw invalid(`local-aws: ${logicalId} (${Type}): ${unknown.join(", ")} is not covered`);
    }
  }
  const { Conditions, Rules, Outputs, Resources } = template;
  const used = Object.fromEntries(logicalIds.map((logicalId) => [logicalId, Resources[logicalId]]));
  checkExpression({ Conditions, Rules, Outputs, Resources: used }, template);
}

function checkExpression(node: unknown, template: Template): void {
  if (typeof node === "string") {
    if (node.includes("{{resolve:")) throw invalid(`local-aws: dynamic references are not covered: ${node}`);
  } else if (Array.isArray(node)) {
    for (const item of node) checkExpression(item, template);
  } else if (typeof node === "object" && node !== null) {
    for (const [name, value] of Object.entries(node)) {
      if (name.startsWith("Fn::") && !isCovered(name))
        throw invalid(`local-aws: the intrinsic function ${name} is not covered`);
      if (name === "Ref" && typeof value === "string") checkReference(value, template);
      if (name === "Fn::Sub") for (const used of findSubstituted(value)) checkReference(used, template);
      checkExpression(value, template);
    }
  }
}

function checkReference(name: string, { Parameters = {}, Resources }: Template): void {
  if (name.startsWith("AWS::") || Object.hasOwn(Parameters, name) || Object.hasOwn(Resources, name)) return;
  throw invalid(
    `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
  );
}
