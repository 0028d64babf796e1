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
  readonly Code: object;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
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
  name: ({ FunctionName }: FunctionProperties, context) => FunctionName ?? buildName(context),
  async create({ Tags = [], ...properties }: FunctionProperties, context) {
    const FunctionName = properties.FunctionName ?? buildName(context);
    const tags = Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
    await context.services.call("lambda", "CreateFunction", {
      ...withNumbers(properties),
      FunctionName,
      PackageType: properties.PackageType ?? "Zip",
      Tags: tags,
    });
    return waitUntilReady(context, FunctionName);
  },
  async update(
    FunctionName,
    { Tags: _tags, ...properties }: FunctionProperties,
    { Tags: _old, ...old }: FunctionProperties,
    context,
  ) {
    if (JSON.stringify(properties.Code) !== JSON.stringify(old.Code)) {
      await context.services.call("lambda", "UpdateFunctionCode", { FunctionName, ...properties.Code });
      await waitUntilReady(context, FunctionName);
    }
    const {
      Code: _code,
      PackageType: _type,
      FunctionName: _name,
      Architectures: _architectures,
      ...configuration
    } = withNumbers(properties);
    const {
      Code: _oldCode,
      PackageType: _oldType,
      FunctionName: _oldName,
      Architectures: _oldArchitectures,
      ...oldConfiguration
    } = withNumbers(old);
    if (JSON.stringify(configuration) !== JSON.stringify(oldConfiguration)) {
      const removed = Object.fromEntries(
        Object.keys(oldConfiguration).map((name) => [name, removedValues[name]]),
      );
      await context.services.call("lambda", "UpdateFunctionConfiguration", {
        ...removed,
        ...configuration,
        FunctionName,
      });
    }
    return waitUntilReady(context, FunctionName);
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

function withNumbers(properties: Properties): Properties {
  const numbers = ["Timeout", "MemorySize"].filter((name) => properties[name] !== undefined);
  return { ...properties, ...Object.fromEntries(numbers.map((name) => [name, Number(properties[name])])) };
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
