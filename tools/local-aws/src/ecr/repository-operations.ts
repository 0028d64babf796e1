import { takePage } from "../paging.ts";
import { findMissingElement } from "../policy-document.ts";
import { type Operation, refuseOthers, type ServiceContext, ServiceException } from "../service.ts";
import { buildTagList, parseTagList } from "../tag-list.ts";
import type { Images } from "./images.ts";
import { isRepositoryName, type Repository } from "./repository.ts";

const coveredByCreate = [
  "repositoryName",
  "registryId",
  "tags",
  "imageTagMutability",
  "imageTagMutabilityExclusionFilters",
  "imageScanningConfiguration",
  "encryptionConfiguration",
];

/** Repositories and their settings. */
export function createRepositoryOperations(
  { accountId, region, endpoint, now }: ServiceContext,
  images: Images,
): Record<string, Operation> {
  const { host } = new URL(endpoint);

  function describe(repository: Repository) {
    const {
      policyText: _policy,
      lifecyclePolicyText: _lifecycle,
      tags: _tags,
      createdAt,
      ...rest
    } = repository;
    return {
      ...rest,
      repositoryArn: `arn:aws:ecr:${region}:${accountId}:repository/${rest.repositoryName}`,
      repositoryUri: `${host}/${rest.repositoryName}`,
      registryId: accountId,
      createdAt: new Date(createdAt),
    };
  }

  function change(name: string, changes: Partial<Repository>) {
    const repository = { ...images.mustFindRepository(name), ...changes };
    images.putRepository(repository);
    return { registryId: accountId, repositoryName: name };
  }

  const mustFindByArn = (arn: string) => images.mustFindRepository(arn.replace(/^.*:repository\//, ""));

  return {
    async CreateRepository(input) {
      refuseOthers("CreateRepository", input, coveredByCreate);
      const { repositoryName } = input;
      if (!isRepositoryName(repositoryName)) {
        throw invalidParameter("repositoryName", `must satisfy regular expression (${repositoryName})`);
      }
      if (images.findRepository(repositoryName) !== undefined) {
        throw new ServiceException(
          "RepositoryAlreadyExistsException",
          `The repository with name '${repositoryName}' already exists in the registry with id '${accountId}'`,
        );
      }
      const repository: Repository = {
        repositoryName,
        imageTagMutability: input.imageTagMutability ?? "MUTABLE",
        imageTagMutabilityExclusionFilters: input.imageTagMutabilityExclusionFilters,
        imageScanningConfiguration: input.imageScanningConfiguration ?? { scanOnPush: false },
        encryptionConfiguration: input.encryptionConfiguration ?? { encryptionType: "AES256" },
        createdAt: now(),
        tags: parseTagList(input.tags),
      };
      images.putRepository(repository);
      return { repository: describe(repository) };
    },

    async DescribeRepositories({ repositoryNames, maxResults = 100, nextToken }) {
      const all: Repository[] = repositoryNames?.map(images.mustFindRepository) ?? images.listRepositories();
      const page = takePage(all, maxResults, nextToken);
      return { repositories: page.items.map(describe), nextToken: page.nextToken };
    },

    async DeleteRepository({ repositoryName, force = false }) {
      const repository = images.mustFindRepository(repositoryName);
      if (!force && images.listImages(repositoryName).length > 0) {
        throw new ServiceException(
          "RepositoryNotEmptyException",
          `The repository with name '${repositoryName}' in registry with id '${accountId}' cannot be deleted because it still contains images`,
        );
      }
      images.deleteRepository(repositoryName);
      return { repository: describe(repository) };
    },

    async PutImageTagMutability({ repositoryName, imageTagMutability, imageTagMutabilityExclusionFilters }) {
      const settings = { imageTagMutability, imageTagMutabilityExclusionFilters };
      return { ...change(repositoryName, settings), ...settings };
    },

    PutImageScanningConfiguration: async ({ repositoryName, imageScanningConfiguration }) => ({
      ...change(repositoryName, { imageScanningConfiguration }),
      imageScanningConfiguration,
    }),

    async PutLifecyclePolicy({ repositoryName, lifecyclePolicyText }) {
      checkLifecyclePolicy(parsePolicy("lifecyclePolicyText", lifecyclePolicyText));
      return { ...change(repositoryName, { lifecyclePolicyText }), lifecyclePolicyText };
    },

    async GetLifecyclePolicy({ repositoryName }) {
      const { lifecyclePolicyText } = images.mustFindRepository(repositoryName);
      if (lifecyclePolicyText === undefined) {
        throw new ServiceException(
          "LifecyclePolicyNotFoundException",
          `Lifecycle policy does not exist for the repository with name '${repositoryName}' in the registry with id '${accountId}'`,
        );
      }
      return { repositoryName, registryId: accountId, lifecyclePolicyText };
    },

    DeleteLifecyclePolicy: async ({ repositoryName }) =>
      change(repositoryName, { lifecyclePolicyText: undefined }),

    async SetRepositoryPolicy({ repositoryName, policyText }) {
      const missing = findMissingElement(parsePolicy("policyText", policyText), ["Principal"]);
      if (missing !== undefined) {
        throw invalidParameter("PolicyText", `Invalid repository policy provided: it has no ${missing}`);
      }
      return { ...change(repositoryName, { policyText }), policyText };
    },

    async GetRepositoryPolicy({ repositoryName }) {
      const { policyText } = images.mustFindRepository(repositoryName);
      if (policyText === undefined) {
        throw new ServiceException(
          "RepositoryPolicyNotFoundException",
          `Repository policy does not exist for the repository with name '${repositoryName}' in the registry with id '${accountId}'`,
        );
      }
      return { repositoryName, registryId: accountId, policyText };
    },

    DeleteRepositoryPolicy: async ({ repositoryName }) => change(repositoryName, { policyText: undefined }),

    async TagResource({ resourceArn, tags }) {
      const repository = mustFindByArn(resourceArn);
      images.putRepository({ ...repository, tags: { ...repository.tags, ...parseTagList(tags) } });
      return {};
    },

    async UntagResource({ resourceArn, tagKeys }) {
      const repository = mustFindByArn(resourceArn);
      const kept = Object.entries(repository.tags).filter(([key]) => !tagKeys.includes(key));
      images.putRepository({ ...repository, tags: Object.fromEntries(kept) });
      return {};
    },

    ListTagsForResource: async ({ resourceArn }) => ({ tags: buildTagList(mustFindByArn(resourceArn).tags) }),
  };
}

function invalidParameter(member: string, constraint: string): ServiceException {
  return new ServiceException(
    "InvalidParameterException",
    `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  );
}

function parsePolicy(member: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidParameter(member, "Invalid JSON syntax");
  }
}

/** @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html */
function checkLifecyclePolicy(policy: unknown): void {
  const { rules } = mustHave(policy, ["rules"]);
  if (!Array.isArray(rules)) throw invalidLifecycle("instance type of rules is not array");
  for (const rule of rules) {
    const { action, selection } = mustHave(rule, ["action", "rulePriority", "selection"]);
    mustHave(action, ["type"]);
    mustHave(selection, ["countNumber", "countType", "tagStatus"]);
  }
}

function mustHave(value: unknown, properties: readonly string[]): Record<string, unknown> {
  const given: Record<string, unknown> = Object(value);
  const missing = properties.filter((name) => given[name] === undefined);
  if (missing.length === 0) return given;
  throw invalidLifecycle(`object has missing required properties (${JSON.stringify(missing)})`);
}

const invalidLifecycle = (failure: string) =>
  invalidParameter("LifecyclePolicyText", `Lifecycle policy validation failure: ${failure}`);
