import { parseTagList, type TagList } from "../../tag-list.ts";
import {
  buildName,
  type Made,
  type Properties,
  type ResourceContext,
  type ResourceType,
  unlessGone,
} from "./resource-type.ts";

interface FunctionProperties extends Properties {
  readonly FunctionName?: string;
  readonly PackageType?: string;
  readonly Code: object;
  readonly Architectures?: readonly string[];
  readonly Tags?: TagList;
}

const gone = ["ResourceNotFoundException"];
/** How often an update is looked at. */
const pollMs = 25;

async function waitUntilReady({ services }: ResourceContext, FunctionName: string): Promise<Made> {
  for (;;) {
    const found = await services.call<Record<string, string>>("lambda", "GetFunctionConfiguration", {
      FunctionName,
    });
    if (found.State === "Failed" || found.LastUpdateStatus === "Failed") {
      throw new Error(
        `Resource of type 'AWS::Lambda::Function' with identifier '${FunctionName}' did not stabilize: ${found.LastUpdateStatusReason ?? found.StateReason}`,
      );
    }
    if (found.State === "Active" && found.LastUpdateStatus === "Successful") {
      return { physicalId: FunctionName, attributes: { Arn: found.FunctionArn } };
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Code and configuration are two calls; each only where something of it changed. */
const functionType: ResourceType = {
  properties: [
    "FunctionName",
    "Code",
    "PackageType",
    "Role",
    "Runtime",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Architectures",
    "Environment",
    "ImageConfig",
    "EphemeralStorage",
    "LoggingConfig",
    "TracingConfig",
    "Tags",
  ],
  replacedBy: ["FunctionName", "PackageType"],
  async create(properties: FunctionProperties, context) {
    const FunctionName = properties.FunctionName ?? buildName(context);
    const { Code, PackageType = "Zip", Architectures } = properties;
    const { configuration, tags: Tags } = splitProperties(properties);
    const input = { ...configuration, FunctionName, Code, PackageType, Architectures, Tags };
    await context.services.call("lambda", "CreateFunction", input);
    context.claim(FunctionName);
    return waitUntilReady(context, FunctionName);
  },
  async update(FunctionName, properties: FunctionProperties, old: FunctionProperties, context) {
    const [wanted, before] = [splitProperties(properties), splitProperties(old)];
    if (isDifferent(wanted.code, before.code)) {
      await context.services.call("lambda", "UpdateFunctionCode", { FunctionName, ...wanted.code });
      await waitUntilReady(context, FunctionName);
    }
    if (isDifferent(wanted.configuration, before.configuration)) {
      const removed = Object.keys(before.configuration).map((name) => [name, removedValues[name]]);
      await context.services.call("lambda", "UpdateFunctionConfiguration", {
        ...Object.fromEntries(removed),
        ...wanted.configuration,
        FunctionName,
      });
    }
    const made = await waitUntilReady(context, FunctionName);
    if (isDifferent(wanted.tags, before.tags)) {
      const Resource = made.attributes.Arn;
      const tagKeys = Object.keys(before.tags);
      await context.services.call("lambda", "UntagResource", { Resource, tagKeys });
      await context.services.call("lambda", "TagResource", { Resource, Tags: wanted.tags });
    }
    return made;
  },
  delete: (FunctionName, _properties, { services }) =>
    unlessGone(gone, services.call("lambda", "DeleteFunction", { FunctionName })),
};

/** What a property goes back to when the template no longer has it. */
const removedValues: Readonly<Record<string, unknown>> = {
  Description: "",
  Timeout: 3,
  MemorySize: 128,
  Environment: { Variables: {} },
  ImageConfig: {},
  EphemeralStorage: { Size: 512 },
};

/** What each of the API's update calls takes. */
function splitProperties(properties: FunctionProperties): {
  readonly code: object;
  readonly configuration: Properties;
  readonly tags: Readonly<Record<string, string>>;
} {
  const { FunctionName: _name, PackageType: _type, Code, Architectures, Tags, ...settings } = properties;
  const numbers = ["Timeout", "MemorySize"].filter((name) => settings[name] !== undefined);
  return {
    code: { ...Code, ...(Architectures !== undefined && { Architectures }) },
    configuration: {
      ...settings,
      ...Object.fromEntries(numbers.map((name) => [name, Number(settings[name])])),
    },
    tags: parseTagList(Tags),
  };
}

function isDifferent(a: object, b: object): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

const versionType: ResourceType = {
  properties: ["FunctionName", "CodeSha256", "Description"],
  replacedBy: ["FunctionName", "CodeSha256", "Description"],
  async create(properties: Properties, { services }) {
    const made = await services.call<{ FunctionArn: string; Version: string }>(
      "lambda",
      "PublishVersion",
      properties,
    );
    return {
      physicalId: made.FunctionArn,
      attributes: { Version: made.Version, FunctionArn: made.FunctionArn },
    };
  },
  delete(physicalId, { FunctionName }: { FunctionName: string }, { services }) {
    const Qualifier = physicalId.split(":").at(-1);
    return unlessGone(gone, services.call("lambda", "DeleteFunction", { FunctionName, Qualifier }));
  },
};

interface AliasProperties extends Properties {
  readonly FunctionName: string;
  readonly Name: string;
  readonly RoutingConfig?: {
    readonly AdditionalVersionWeights?: readonly { FunctionVersion: string; FunctionWeight: number }[];
  };
}

function withWeights({ RoutingConfig, ...properties }: AliasProperties): Properties {
  const weights = RoutingConfig?.AdditionalVersionWeights ?? [];
  const AdditionalVersionWeights = Object.fromEntries(
    weights.map(({ FunctionVersion, FunctionWeight }) => [FunctionVersion, Number(FunctionWeight)]),
  );
  return { ...properties, RoutingConfig: { AdditionalVersionWeights } };
}

const aliasType: ResourceType = {
  properties: ["FunctionName", "FunctionVersion", "Name", "Description", "RoutingConfig"],
  replacedBy: ["FunctionName", "Name"],
  async create(properties: AliasProperties, { services }) {
    const { AliasArn } = await services.call<{ AliasArn: string }>(
      "lambda",
      "CreateAlias",
      withWeights(properties),
    );
    return { physicalId: AliasArn, attributes: { AliasArn } };
  },
  async update(physicalId, properties: AliasProperties, _old, { services }) {
    await services.call("lambda", "UpdateAlias", withWeights(properties));
    return { physicalId, attributes: { AliasArn: physicalId } };
  },
  delete: (_physicalId, { FunctionName, Name }: AliasProperties, { services }) =>
    unlessGone(gone, services.call("lambda", "DeleteAlias", { FunctionName, Name })),
};

interface UrlProperties extends Properties {
  readonly TargetFunctionArn: string;
  readonly Qualifier?: string;
}

const urlType: ResourceType = {
  properties: ["TargetFunctionArn", "Qualifier", "AuthType", "InvokeMode", "Cors"],
  replacedBy: ["TargetFunctionArn", "Qualifier"],
  async create({ TargetFunctionArn, ...properties }: UrlProperties, { services }) {
    return describeUrl(
      await services.call("lambda", "CreateFunctionUrlConfig", {
        ...splitArn(TargetFunctionArn),
        ...properties,
      }),
    );
  },
  async update(_physicalId, { TargetFunctionArn, ...properties }: UrlProperties, _old, { services }) {
    return describeUrl(
      await services.call("lambda", "UpdateFunctionUrlConfig", {
        ...splitArn(TargetFunctionArn),
        ...properties,
      }),
    );
  },
  delete: (_physicalId, { TargetFunctionArn, Qualifier }: UrlProperties, { services }) =>
    unlessGone(
      gone,
      services.call("lambda", "DeleteFunctionUrlConfig", {
        ...splitArn(TargetFunctionArn),
        ...(Qualifier && { Qualifier }),
      }),
    ),
};

function describeUrl({ FunctionArn, FunctionUrl }: Record<string, unknown>): Made {
  return { physicalId: String(FunctionArn), attributes: { FunctionArn, FunctionUrl } };
}

/** `…:function:name:alias` as the two that the API wants. */
function splitArn(arn: string): { FunctionName: string; Qualifier?: string } {
  const [FunctionName = arn, Qualifier] = (arn.split(":function:")[1] ?? arn).split(":");
  return { FunctionName, ...(Qualifier && { Qualifier }) };
}

interface PermissionProperties extends Properties {
  readonly FunctionName: string;
}

const permissionType: ResourceType = {
  properties: [
    "FunctionName",
    "Action",
    "Principal",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "SourceArn",
    "SourceAccount",
  ],
  replacedBy: [
    "FunctionName",
    "Action",
    "Principal",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "SourceArn",
    "SourceAccount",
  ],
  async create({ FunctionName, ...properties }: PermissionProperties, context) {
    const StatementId = buildName(context, 100);
    await context.services.call("lambda", "AddPermission", {
      ...properties,
      ...splitArn(FunctionName),
      StatementId,
    });
    return { physicalId: StatementId, attributes: { Id: StatementId } };
  },
  delete: (StatementId, { FunctionName }: PermissionProperties, { services }) =>
    unlessGone(gone, services.call("lambda", "RemovePermission", { ...splitArn(FunctionName), StatementId })),
};

export const lambdaTypes: Readonly<Record<string, ResourceType>> = {
  "AWS::Lambda::Function": functionType,
  "AWS::Lambda::Version": versionType,
  "AWS::Lambda::Alias": aliasType,
  "AWS::Lambda::Url": urlType,
  "AWS::Lambda::Permission": permissionType,
};
