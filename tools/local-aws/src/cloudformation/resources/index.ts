import { invalid } from "../template.ts";
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
