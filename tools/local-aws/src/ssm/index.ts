import { type Service, type ServiceContext, ServiceException } from "../service.ts";

interface ParameterVersion {
  readonly Value: string;
  readonly Version: number;
  readonly Type: string;
  readonly Description?: string;
  readonly LastModifiedDate: number;
  readonly LastModifiedUser: string;
}

interface Parameter {
  readonly Name: string;
  /** Oldest first; the last {@link keptVersions}. */
  readonly versions: readonly ParameterVersion[];
  readonly tags: Readonly<Record<string, string>>;
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html */
const keptVersions = 100;

/** Parameter Store: atomic create, overwrite with versions, and history. */
export function createService({ store, now, accountId, region }: ServiceContext): Service {
  const load = (name: string) => store.get<Parameter>(`parameter ${name}`);

  function mustLoad(name: string): Parameter {
    const parameter = load(name);
    if (parameter === undefined)
      throw new ServiceException("ParameterNotFound", `Parameter ${name} not found.`);
    return parameter;
  }

  /** `name`, `name:3`, or an ARN. */
  function find(reference: string): object | undefined {
    const name = reference.replace(/^arn:aws:ssm:[^:]*:[^:]*:parameter(?=\/)/, "");
    const [path = "", selector] = name.split(":");
    const parameter = load(path);
    if (parameter === undefined) return undefined;
    const version =
      selector === undefined
        ? parameter.versions.at(-1)
        : parameter.versions.find(({ Version }) => Version === Number(selector));
    if (version === undefined) {
      throw new ServiceException(
        "ParameterVersionNotFound",
        `Systems Manager could not find version ${selector} of ${path}. Verify the version and try again.`,
      );
    }
    return describe(parameter, version);
  }

  function describe(
    { Name }: Parameter,
    { Value, Version, Type, LastModifiedDate }: ParameterVersion,
  ): object {
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

  return {
    operations: {
      async PutParameter({ Name, Value, Type, Overwrite = false, Description, Tags = [] }, { accessKeyId }) {
        if (typeof Value !== "string" || Value.length === 0 || Buffer.byteLength(Value) > 4096) {
          throw new ServiceException(
            "ValidationException",
            `Value at 'value' must have length between 1 and 4096: ${Name}`,
          );
        }
        const existing = load(Name);
        if (existing !== undefined && !Overwrite) {
          throw new ServiceException(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
          );
        }
        if (existing === undefined && Type === undefined) {
          throw new ServiceException(
            "ValidationException",
            "A parameter type is required when you create a parameter.",
          );
        }
        const last = existing?.versions.at(-1);
        const version: ParameterVersion = {
          Value,
          Version: (last?.Version ?? 0) + 1,
          Type: Type ?? last?.Type ?? "String",
          Description,
          LastModifiedDate: now(),
          LastModifiedUser: accessKeyId,
        };
        const tags = Object.fromEntries(
          Tags.map(({ Key, Value: value }: { Key: string; Value: string }) => [Key, value]),
        );
        const versions = [...(existing?.versions ?? []), version].slice(-keptVersions);
        store.put(`parameter ${Name}`, { Name, versions, tags: { ...existing?.tags, ...tags } });
        return { Version: version.Version, Tier: "Standard" };
      },
      async GetParameter({ Name }) {
        const Parameter = find(Name);
        if (Parameter === undefined) throw new ServiceException("ParameterNotFound", "");
        return { Parameter };
      },
      async GetParameters({ Names }) {
        if (Names.length > 10) {
          throw new ServiceException(
            "ValidationException",
            "Member must have length less than or equal to 10",
          );
        }
        const found = (Names as string[]).map((name) => [name, find(name)] as const);
        return {
          Parameters: found.flatMap(([, parameter]) => parameter ?? []),
          InvalidParameters: found.flatMap(([name, parameter]) => (parameter === undefined ? [name] : [])),
        };
      },
      async GetParametersByPath({ Path, Recursive = false }) {
        const prefix = Path.endsWith("/") ? Path : `${Path}/`;
        const names = store
          .keys(`parameter ${prefix}`)
          .map((key) => key.slice("parameter ".length))
          .filter((name) => Recursive || !name.slice(prefix.length).includes("/"));
        return { Parameters: names.map(find) };
      },
      async GetParameterHistory({ Name, MaxResults = 50, NextToken = "0" }) {
        const { versions } = mustLoad(Name);
        const from = Number(NextToken);
        const page = versions.slice(from, from + MaxResults);
        const more = from + page.length < versions.length;
        return {
          Parameters: page.map(({ LastModifiedDate, ...version }) => ({
            Name,
            ...version,
            LastModifiedDate: new Date(LastModifiedDate),
          })),
          ...(more && { NextToken: String(from + page.length) }),
        };
      },
      async DescribeParameters() {
        return {
          Parameters: store.keys("parameter ").map((key) => {
            const parameter = mustLoad(key.slice("parameter ".length));
            const { Value: _value, ...last } = parameter.versions.at(-1) ?? { Value: "" };
            return {
              Name: parameter.Name,
              ...last,
              LastModifiedDate: new Date(parameter.versions.at(-1)?.LastModifiedDate ?? 0),
            };
          }),
        };
      },
      async DeleteParameter({ Name }) {
        mustLoad(Name);
        store.delete(`parameter ${Name}`);
        return {};
      },
      async DeleteParameters({ Names }) {
        const [DeletedParameters, InvalidParameters] = [[] as string[], [] as string[]];
        for (const name of Names as string[]) {
          (load(name) === undefined ? InvalidParameters : DeletedParameters).push(name);
          store.delete(`parameter ${name}`);
        }
        return { DeletedParameters, InvalidParameters };
      },
      async AddTagsToResource({ ResourceId, Tags }) {
        const parameter = mustLoad(ResourceId);
        const tags = Object.fromEntries(
          Tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]),
        );
        store.put(`parameter ${ResourceId}`, { ...parameter, tags: { ...parameter.tags, ...tags } });
        return {};
      },
      async ListTagsForResource({ ResourceId }) {
        return { TagList: Object.entries(mustLoad(ResourceId).tags).map(([Key, Value]) => ({ Key, Value })) };
      },
    },
  };
}
