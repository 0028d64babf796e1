import { invalid, type Template } from "../template.ts";
import { identityTypes } from "./identity.ts";
import { lambdaTypes } from "./lambda.ts";
import type { ResourceType } from "./resource-type.ts";
import { settingsTypes } from "./settings.ts";
import { storageTypes } from "./storage.ts";

export type ResourceTypes = (type: string) => ResourceType;

export function createResourceTypes(customType: ResourceType): ResourceTypes {
  const known = { ...identityTypes, ...lambdaTypes, ...settingsTypes, ...storageTypes };
  return (type) => {
    const found = isCustom(type) ? customType : known[type];
    if (found === undefined) throw invalid(`local-aws: the resource type ${type} is not covered`);
    return found;
  };
}

export function isCustom(type: string): boolean {
  return type.startsWith("Custom::") || type === "AWS::CloudFormation::CustomResource";
}

/** Refuses types and properties that are not covered, before anything is made. @throws ServiceException */
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
    if (unknown.length > 0)
      throw invalid(`local-aws: ${logicalId} (${Type}): ${unknown.join(", ")} is not covered`);
  }
}
