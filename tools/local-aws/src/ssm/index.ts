import { takePage } from "../paging.ts";
import { type Service, type ServiceContext, ServiceException } from "../service.ts";
import { buildTagList, parseTagList } from "../tag-list.ts";
import {
  checkPutParameter,
  keptVersions,
  openParameters,
  type Parameter,
  type ParameterVersion,
  parseReference,
} from "./parameters.ts";

/** Parameter Store: atomic create, overwrite with versions, and history. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const parameters = openParameters(store);

  function describe({ Name }: Parameter, version: ParameterVersion) {
    const { Value, Version, Type, LastModifiedDate } = version;
    const ARN = `arn:aws:ssm:${region}:${accountId}:parameter${Name.startsWith("/") ? "" : "/"}${Name}`;
    return {
      Name,
      Type,
      Value,
      Version,
      LastModifiedDate: new Date(LastModifiedDate),
      ARN,
      DataType: "text",
    };
  }

  /** What history and listings say of a version beside its value. */
  function describeMetadata({ Name }: Parameter, { LastModifiedDate, ...version }: ParameterVersion) {
    return {
      Name,
      ...version,
      LastModifiedDate: new Date(LastModifiedDate),
      Tier: "Standard",
      DataType: "text",
    };
  }

  function mustGet(reference: string) {
    const { name, version } = parseReference(reference);
    const parameter = parameters.mustFind(name);
    const found =
      version === undefined ? last(parameter) : parameter.versions.find(({ Version }) => Version === version);
    if (found === undefined) {
      throw new ServiceException(
        "ParameterVersionNotFound",
        `Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`,
      );
    }
    return { ...describe(parameter, found), ...(version !== undefined && { Selector: `:${version}` }) };
  }

  /** GetParameters lists what it can't find instead of failing. */
  function findOrUndefined(reference: string) {
    try {
      return mustGet(reference);
    } catch (error) {
      if (!(error instanceof ServiceException)) throw error;
      if (error.name === "ParameterNotFound" || error.name === "ParameterVersionNotFound") return undefined;
      throw error;
    }
  }

  return {
    operations: {
      async PutParameter(input, { accessKeyId }) {
        const { Name, Value, Type, Description, AllowedPattern, Tags } = input;
        const existing = parameters.find(Name);
        checkPutParameter(input, existing);
        const before = existing === undefined ? undefined : last(existing);
        if (Type !== undefined && before !== undefined && Type !== before.Type) {
          throw new ServiceException(
            "HierarchyTypeMismatchException",
            `The parameter ${Name} has the type ${before.Type}, which can't be changed.`,
          );
        }
        const version: ParameterVersion = {
          Value,
          Version: (before?.Version ?? 0) + 1,
          Type: Type ?? before?.Type,
          Description: Description ?? before?.Description,
          AllowedPattern,
          LastModifiedDate: now(),
          LastModifiedUser: accessKeyId,
        };
        const earlier = (existing?.versions ?? []).slice(1 - keptVersions);
        const tags = existing?.tags ?? parseTagList(Tags);
        parameters.put({ Name, versions: [...earlier, version], tags });
        return { Version: version.Version, Tier: "Standard" };
      },

      GetParameter: async ({ Name }) => ({ Parameter: mustGet(Name) }),

      async GetParameters({ Names }) {
        if (Names.length > 10) {
          throw new ServiceException(
            "ValidationException",
            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10",
          );
        }
        const found = (Names as string[]).map((name) => [name, findOrUndefined(name)] as const);
        return {
          Parameters: found.flatMap(([, parameter]) => parameter ?? []),
          InvalidParameters: found.flatMap(([name, parameter]) => (parameter === undefined ? [name] : [])),
        };
      },

      async GetParametersByPath({ Path, Recursive = false, MaxResults = 10, NextToken }) {
        const prefix = Path.endsWith("/") ? Path : `${Path}/`;
        const names = parameters
          .list(prefix)
          .filter((name) => Recursive || !name.slice(prefix.length).includes("/"));
        const page = takePage(names, MaxResults, NextToken);
        return { Parameters: page.items.map(mustGet), NextToken: page.nextToken };
      },

      async GetParameterHistory({ Name, MaxResults = 50, NextToken }) {
        const parameter = parameters.mustFind(Name);
        const page = takePage(parameter.versions, MaxResults, NextToken);
        return {
          Parameters: page.items.map((version) => describeMetadata(parameter, version)),
          NextToken: page.nextToken,
        };
      },

      async DescribeParameters({ ParameterFilters = [], MaxResults = 50, NextToken }) {
        const wanted = (name: string) =>
          (ParameterFilters as ParameterFilter[]).every((filter) => matches(name, filter));
        const page = takePage(parameters.list().filter(wanted), MaxResults, NextToken);
        const described = page.items.map((name) => {
          const parameter = parameters.mustFind(name);
          const { Value: _value, ...metadata } = describeMetadata(parameter, last(parameter));
          return metadata;
        });
        return { Parameters: described, NextToken: page.nextToken };
      },

      async DeleteParameter({ Name }) {
        parameters.mustFind(Name);
        parameters.delete(Name);
        return {};
      },

      async DeleteParameters({ Names }) {
        const exists = (name: string) => parameters.find(name) !== undefined;
        const DeletedParameters = (Names as string[]).filter(exists);
        const InvalidParameters = (Names as string[]).filter((name) => !exists(name));
        for (const name of DeletedParameters) parameters.delete(name);
        return { DeletedParameters, InvalidParameters };
      },

      async AddTagsToResource({ ResourceId, Tags }) {
        const parameter = parameters.mustFind(ResourceId);
        parameters.put({ ...parameter, tags: { ...parameter.tags, ...parseTagList(Tags) } });
        return {};
      },

      async RemoveTagsFromResource({ ResourceId, TagKeys }) {
        const parameter = parameters.mustFind(ResourceId);
        const kept = Object.entries(parameter.tags).filter(([key]) => !TagKeys.includes(key));
        parameters.put({ ...parameter, tags: Object.fromEntries(kept) });
        return {};
      },

      ListTagsForResource: async ({ ResourceId }) => ({
        TagList: buildTagList(parameters.mustFind(ResourceId).tags),
      }),
    },
  };
}

function last({ versions }: Parameter): ParameterVersion {
  return versions[versions.length - 1] as ParameterVersion;
}

interface ParameterFilter {
  readonly Key: string;
  readonly Option?: string;
  readonly Values: readonly string[];
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html */
function matches(name: string, { Key, Option = "Equals", Values }: ParameterFilter): boolean {
  if (Key === "Name" && Option === "Equals") return Values.includes(name);
  if (Key === "Name" && Option === "BeginsWith") return Values.some((value) => name.startsWith(value));
  throw new ServiceException("InvalidFilterKey", `local-aws: ssm has no filter ${Key} ${Option}`);
}
