import {
  buildName,
  type Made,
  type Properties,
  type ResourceContext,
  type ResourceType,
  unlessGone,
} from "./resource-type.ts";

interface BucketProperties extends Properties {
  readonly BucketName?: string;
}

/** Properties of a bucket that become its sub-resources, as they come. */
const bucketSettings: Readonly<Record<string, string>> = {
  BucketEncryption: "encryption",
  LifecycleConfiguration: "lifecycle",
  PublicAccessBlockConfiguration: "publicAccessBlock",
  OwnershipControls: "ownershipControls",
};

async function writeBucketSettings(
  Bucket: string,
  properties: BucketProperties,
  { services }: ResourceContext,
): Promise<Made> {
  for (const [name, Setting] of Object.entries(bucketSettings)) {
    const operation = properties[name] === undefined ? "DeleteBucketSetting" : "PutBucketSetting";
    const Value =
      Setting === "encryption" ? encryptionXml(properties[name]) : JSON.stringify(properties[name]);
    await services.call("s3", operation, { Bucket, Setting, Value });
  }
  const { Status } = (properties.VersioningConfiguration ?? {}) as { Status?: string };
  if (Status !== undefined) {
    const Value = `<VersioningConfiguration><Status>${Status}</Status></VersioningConfiguration>`;
    await services.call("s3", "PutBucketSetting", { Bucket, Setting: "versioning", Value });
  }
  const DomainName = `${Bucket}.s3.amazonaws.com`;
  const RegionalDomainName = `${Bucket}.s3.${services.region}.amazonaws.com`;
  return {
    physicalId: Bucket,
    attributes: { Arn: `arn:aws:s3:::${Bucket}`, DomainName, RegionalDomainName },
  };
}

/** The CDK reads a bucket's encryption back before it uploads. */
function encryptionXml(encryption: unknown): string {
  const { ServerSideEncryptionConfiguration: rules = [] } = (encryption ?? {}) as {
    ServerSideEncryptionConfiguration?: {
      ServerSideEncryptionByDefault: { SSEAlgorithm: string; KMSMasterKeyID?: string };
    }[];
  };
  const written = rules.map(({ ServerSideEncryptionByDefault: { SSEAlgorithm, KMSMasterKeyID } }) => {
    const key = KMSMasterKeyID === undefined ? "" : `<KMSMasterKeyID>${KMSMasterKeyID}</KMSMasterKeyID>`;
    return `<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${SSEAlgorithm}</SSEAlgorithm>${key}</ApplyServerSideEncryptionByDefault></Rule>`;
  });
  return `<ServerSideEncryptionConfiguration>${written.join("")}</ServerSideEncryptionConfiguration>`;
}

const bucketType: ResourceType = {
  properties: [
    "BucketName",
    "AccessControl",
    "VersioningConfiguration",
    "Tags",
    ...Object.keys(bucketSettings),
  ],
  replacedBy: ["BucketName"],
  async create(properties: BucketProperties, context) {
    const Bucket = properties.BucketName ?? buildName(context, 63).toLowerCase();
    await context.services.call("s3", "CreateBucket", { Bucket });
    context.claim(Bucket);
    return writeBucketSettings(Bucket, properties, context);
  },
  update: (Bucket, properties: BucketProperties, _old, context) =>
    writeBucketSettings(Bucket, properties, context),
  delete: (Bucket, _properties, { services }) =>
    unlessGone(["NoSuchBucket"], services.call("s3", "DeleteBucket", { Bucket })),
};

interface BucketPolicyProperties extends Properties {
  readonly Bucket: string;
  readonly PolicyDocument: object;
}

async function writeBucketPolicy(
  { Bucket, PolicyDocument }: BucketPolicyProperties,
  { services }: ResourceContext,
): Promise<Made> {
  await services.call("s3", "PutBucketSetting", {
    Bucket,
    Setting: "policy",
    Value: JSON.stringify(PolicyDocument),
  });
  return { physicalId: Bucket, attributes: {} };
}

const bucketPolicyType: ResourceType = {
  properties: ["Bucket", "PolicyDocument"],
  replacedBy: ["Bucket"],
  create: writeBucketPolicy,
  update: (_physicalId, properties: BucketPolicyProperties, _old, context) =>
    writeBucketPolicy(properties, context),
  delete: (Bucket, _properties, { services }) =>
    unlessGone(["NoSuchBucket"], services.call("s3", "DeleteBucketSetting", { Bucket, Setting: "policy" })),
};

interface RepositoryProperties extends Properties {
  readonly RepositoryName?: string;
  readonly ImageTagMutability?: string;
  readonly ImageTagMutabilityExclusionFilters?: readonly {
    readonly ImageTagMutabilityExclusionFilterType: string;
    readonly ImageTagMutabilityExclusionFilterValue: string;
  }[];
  readonly ImageScanningConfiguration?: { readonly ScanOnPush?: unknown };
  readonly EncryptionConfiguration?: { readonly EncryptionType: string; readonly KmsKey?: string };
  readonly LifecyclePolicy?: { readonly LifecyclePolicyText?: string };
  readonly RepositoryPolicyText?: object;
  readonly EmptyOnDelete?: unknown;
}

function repositorySettings(properties: RepositoryProperties) {
  const filters = properties.ImageTagMutabilityExclusionFilters?.map((filter) => ({
    filterType: filter.ImageTagMutabilityExclusionFilterType,
    filter: filter.ImageTagMutabilityExclusionFilterValue,
  }));
  return {
    imageTagMutability: properties.ImageTagMutability ?? "MUTABLE",
    ...(filters && { imageTagMutabilityExclusionFilters: filters }),
    imageScanningConfiguration: {
      scanOnPush: String(properties.ImageScanningConfiguration?.ScanOnPush) === "true",
    },
  };
}

async function writePolicies(
  repositoryName: string,
  properties: RepositoryProperties,
  { services }: ResourceContext,
): Promise<Made> {
  const { LifecyclePolicy, RepositoryPolicyText } = properties;
  const lifecyclePolicyText = LifecyclePolicy?.LifecyclePolicyText;
  if (lifecyclePolicyText === undefined)
    await services.call("ecr", "DeleteLifecyclePolicy", { repositoryName });
  else await services.call("ecr", "PutLifecyclePolicy", { repositoryName, lifecyclePolicyText });
  if (RepositoryPolicyText === undefined)
    await services.call("ecr", "DeleteRepositoryPolicy", { repositoryName });
  else
    await services.call("ecr", "SetRepositoryPolicy", {
      repositoryName,
      policyText: JSON.stringify(RepositoryPolicyText),
    });
  const Arn = `arn:aws:ecr:${services.region}:${services.accountId}:repository/${repositoryName}`;
  const RepositoryUri = `${services.accountId}.dkr.ecr.${services.region}.amazonaws.com/${repositoryName}`;
  return { physicalId: repositoryName, attributes: { Arn, RepositoryUri } };
}

const repositoryType: ResourceType = {
  properties: [
    "RepositoryName",
    "ImageTagMutability",
    "ImageTagMutabilityExclusionFilters",
    "ImageScanningConfiguration",
    "EncryptionConfiguration",
    "LifecyclePolicy",
    "RepositoryPolicyText",
    "EmptyOnDelete",
    "Tags",
  ],
  replacedBy: ["RepositoryName", "EncryptionConfiguration"],
  async create(properties: RepositoryProperties, context) {
    const repositoryName = properties.RepositoryName ?? buildName(context, 100).toLowerCase();
    const { EncryptionType = "AES256", KmsKey } = properties.EncryptionConfiguration ?? {};
    await context.services.call("ecr", "CreateRepository", {
      repositoryName,
      ...repositorySettings(properties),
      encryptionConfiguration: { encryptionType: EncryptionType, ...(KmsKey && { kmsKey: KmsKey }) },
    });
    context.claim(repositoryName);
    return writePolicies(repositoryName, properties, context);
  },
  async update(repositoryName, properties: RepositoryProperties, _old, context) {
    const { imageScanningConfiguration, ...mutability } = repositorySettings(properties);
    await context.services.call("ecr", "PutImageTagMutability", { repositoryName, ...mutability });
    await context.services.call("ecr", "PutImageScanningConfiguration", {
      repositoryName,
      imageScanningConfiguration,
    });
    return writePolicies(repositoryName, properties, context);
  },
  delete: (repositoryName, { EmptyOnDelete }: RepositoryProperties, { services }) =>
    unlessGone(
      ["RepositoryNotFoundException"],
      services.call("ecr", "DeleteRepository", { repositoryName, force: String(EmptyOnDelete) === "true" }),
    ),
};

export const storageTypes: Readonly<Record<string, ResourceType>> = {
  "AWS::S3::Bucket": bucketType,
  "AWS::S3::BucketPolicy": bucketPolicyType,
  "AWS::ECR::Repository": repositoryType,
};
