import {
  buildName,
  type Made,
  type Properties,
  type ResourceContext,
  type ResourceType,
  unlessGone,
} from "./resource-type.ts";

const gone = ["NoSuchEntity"];

interface InlinePolicy {
  readonly PolicyName: string;
  readonly PolicyDocument: object;
}

interface RoleProperties extends Properties {
  readonly RoleName?: string;
  readonly Path?: string;
  readonly AssumeRolePolicyDocument: object;
  readonly Policies?: readonly InlinePolicy[];
  readonly ManagedPolicyArns?: readonly string[];
}

async function writePolicies(
  RoleName: string,
  properties: RoleProperties,
  old: RoleProperties | undefined,
  { services }: ResourceContext,
): Promise<Made> {
  const { Policies = [], ManagedPolicyArns = [], Path = "/" } = properties;
  for (const { PolicyName } of old?.Policies ?? [])
    await services.call("iam", "DeleteRolePolicy", { RoleName, PolicyName });
  for (const PolicyArn of old?.ManagedPolicyArns ?? [])
    await services.call("iam", "DetachRolePolicy", { RoleName, PolicyArn });
  for (const { PolicyName, PolicyDocument } of Policies) {
    await services.call("iam", "PutRolePolicy", {
      RoleName,
      PolicyName,
      PolicyDocument: JSON.stringify(PolicyDocument),
    });
  }
  for (const PolicyArn of ManagedPolicyArns)
    await services.call("iam", "AttachRolePolicy", { RoleName, PolicyArn });
  const Arn = `arn:aws:iam::${services.accountId}:role${Path}${RoleName}`;
  return { physicalId: RoleName, attributes: { Arn, RoleId: `AROA${RoleName}`.slice(0, 21) } };
}

const roleType: ResourceType = {
  properties: [
    "RoleName",
    "Path",
    "AssumeRolePolicyDocument",
    "Policies",
    "ManagedPolicyArns",
    "Description",
    "MaxSessionDuration",
    "PermissionsBoundary",
    "Tags",
  ],
  replacedBy: ["RoleName", "Path"],
  async create({ Policies, ManagedPolicyArns, Tags: _tags, ...properties }: RoleProperties, context) {
    const RoleName = properties.RoleName ?? buildName(context);
    const AssumeRolePolicyDocument = JSON.stringify(properties.AssumeRolePolicyDocument);
    await context.services.call("iam", "CreateRole", { ...properties, RoleName, AssumeRolePolicyDocument });
    context.claim(RoleName);
    return writePolicies(RoleName, { ...properties, Policies, ManagedPolicyArns }, undefined, context);
  },
  async update(RoleName, properties: RoleProperties, old: RoleProperties, context) {
    const { Description, MaxSessionDuration } = properties;
    await context.services.call("iam", "UpdateRole", { RoleName, Description, MaxSessionDuration });
    const PolicyDocument = JSON.stringify(properties.AssumeRolePolicyDocument);
    await context.services.call("iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument });
    return writePolicies(RoleName, properties, old, context);
  },
  delete: (RoleName, _properties, { services }) =>
    unlessGone(gone, services.call("iam", "DeleteRole", { RoleName })),
};

interface PolicyProperties extends Properties {
  readonly PolicyName: string;
  readonly PolicyDocument: object;
  readonly Roles?: readonly string[];
}

async function putOnRoles(
  { PolicyName, PolicyDocument, Roles = [] }: PolicyProperties,
  { services }: ResourceContext,
): Promise<Made> {
  for (const RoleName of Roles) {
    await services.call("iam", "PutRolePolicy", {
      RoleName,
      PolicyName,
      PolicyDocument: JSON.stringify(PolicyDocument),
    });
  }
  return { physicalId: PolicyName, attributes: { Id: PolicyName } };
}

async function takeFromRoles(
  { PolicyName, Roles = [] }: PolicyProperties,
  { services }: ResourceContext,
): Promise<void> {
  for (const RoleName of Roles)
    await unlessGone(gone, services.call("iam", "DeleteRolePolicy", { RoleName, PolicyName }));
}

const policyType: ResourceType = {
  properties: ["PolicyName", "PolicyDocument", "Roles"],
  replacedBy: ["PolicyName"],
  create: putOnRoles,
  async update(_physicalId, properties: PolicyProperties, old: PolicyProperties, context) {
    await takeFromRoles(old, context);
    return putOnRoles(properties, context);
  },
  delete: (_physicalId, properties: PolicyProperties, context) => takeFromRoles(properties, context),
};

interface ManagedPolicyProperties extends Properties {
  readonly ManagedPolicyName?: string;
  readonly PolicyDocument: object;
  readonly Roles?: readonly string[];
}

async function attach(
  PolicyArn: string,
  { Roles = [] }: ManagedPolicyProperties,
  { services }: ResourceContext,
): Promise<Made> {
  for (const RoleName of Roles) await services.call("iam", "AttachRolePolicy", { RoleName, PolicyArn });
  return { physicalId: PolicyArn, attributes: { PolicyArn } };
}

const managedPolicyType: ResourceType = {
  properties: ["ManagedPolicyName", "Path", "Description", "PolicyDocument", "Roles"],
  replacedBy: ["ManagedPolicyName", "Path", "Description"],
  async create(properties: ManagedPolicyProperties, context) {
    const { Policy } = await context.services.call<{ Policy: { Arn: string } }>("iam", "CreatePolicy", {
      PolicyName: properties.ManagedPolicyName ?? buildName(context, 128),
      Path: properties.Path,
      PolicyDocument: JSON.stringify(properties.PolicyDocument),
    });
    context.claim(Policy.Arn);
    return attach(Policy.Arn, properties, context);
  },
  async update(PolicyArn, properties: ManagedPolicyProperties, _old, context) {
    const PolicyDocument = JSON.stringify(properties.PolicyDocument);
    await context.services.call("iam", "CreatePolicyVersion", { PolicyArn, PolicyDocument });
    return attach(PolicyArn, properties, context);
  },
  delete: (PolicyArn, _properties, { services }) =>
    unlessGone(gone, services.call("iam", "DeletePolicy", { PolicyArn })),
};

interface ProviderProperties extends Properties {
  readonly Url: string;
  readonly ClientIdList?: readonly string[];
  readonly ThumbprintList?: readonly string[];
}

const oidcProviderType: ResourceType = {
  properties: ["Url", "ClientIdList", "ThumbprintList"],
  replacedBy: ["Url", "ClientIdList", "ThumbprintList"],
  async create({ Url, ClientIdList, ThumbprintList }: ProviderProperties, { services }) {
    const made = await services.call<{ OpenIDConnectProviderArn: string }>(
      "iam",
      "CreateOpenIDConnectProvider",
      {
        Url,
        ClientIDList: ClientIdList,
        ThumbprintList,
      },
    );
    return { physicalId: made.OpenIDConnectProviderArn, attributes: { Arn: made.OpenIDConnectProviderArn } };
  },
  delete: (OpenIDConnectProviderArn, _properties, { services }) =>
    unlessGone(gone, services.call("iam", "DeleteOpenIDConnectProvider", { OpenIDConnectProviderArn })),
};

export const identityTypes: Readonly<Record<string, ResourceType>> = {
  "AWS::IAM::Role": roleType,
  "AWS::IAM::Policy": policyType,
  "AWS::IAM::ManagedPolicy": managedPolicyType,
  "AWS::IAM::OIDCProvider": oidcProviderType,
};
