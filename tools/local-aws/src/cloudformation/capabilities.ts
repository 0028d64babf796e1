import { ServiceException } from "../service.ts";
import type { Template } from "./template.ts";

/**
 * The types that can change what someone may do, each with the property that gives it a name of the template's choice.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
 */
const namedBy: Readonly<Record<string, string | undefined>> = {
  "AWS::IAM::AccessKey": undefined,
  "AWS::IAM::Group": "GroupName",
  "AWS::IAM::InstanceProfile": "InstanceProfileName",
  "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
  "AWS::IAM::Policy": undefined,
  "AWS::IAM::Role": "RoleName",
  "AWS::IAM::User": "UserName",
  "AWS::IAM::UserToGroupAddition": undefined,
};

/**
 * Refuses a template that can change permissions, unless the caller has said that it may.
 * @throws ServiceException `InsufficientCapabilitiesException`
 */
export function refuseUnacknowledged({ Resources }: Template, capabilities: readonly string[]): void {
  const ofIam = Object.values(Resources).filter(({ Type }) => Object.hasOwn(namedBy, Type));
  const named = ofIam.some(({ Type, Properties = {} }) => Object.hasOwn(Properties, namedBy[Type] ?? ""));
  const needed = named ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM";
  if (ofIam.length === 0 || capabilities.includes(needed) || capabilities.includes("CAPABILITY_NAMED_IAM"))
    return;
  throw new ServiceException("InsufficientCapabilitiesException", `Requires capabilities : [${needed}]`);
}
