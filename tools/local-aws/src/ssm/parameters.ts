import { refuseOthers, ServiceException } from "../service.ts";
import type { Store } from "../store.ts";

export interface ParameterVersion {
  readonly Value: string;
  readonly Version: number;
  readonly Type: "String" | "StringList";
  readonly Description?: string;
  readonly AllowedPattern?: string;
  /** Epoch milliseconds. */
  readonly LastModifiedDate: number;
  readonly LastModifiedUser: string;
}

export interface Parameter {
  readonly Name: string;
  /** Oldest first; the last {@link keptVersions}. */
  readonly versions: readonly [...ParameterVersion[], ParameterVersion];
  readonly tags: Readonly<Record<string, string>>;
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html */
export const keptVersions = 100;

/** @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html */
const standardTierMaxBytes = 4096;

export type Parameters = ReturnType<typeof openParameters>;

/** The parameters by name. */
export function openParameters(store: Store) {
  const prefix = "parameter ";
  const find = (name: string) => store.get<Parameter>(`${prefix}${name}`);
  return {
    find,
    /** AWS says no word more for a missing name. */
    mustFind(name: string): Parameter {
      const parameter = find(name);
      if (parameter === undefined) throw new ServiceException("ParameterNotFound", "");
      return parameter;
    },
    put: (parameter: Parameter) => store.put(`${prefix}${parameter.Name}`, parameter),
    delete: (name: string) => store.delete(`${prefix}${name}`),
    /** In the order of their names. */
    list: (namePrefix = "") => store.keys(`${prefix}${namePrefix}`).map((key) => key.slice(prefix.length)),
  };
}

/** `/a/b`, `/a/b:3` or an ARN of it: the name and, where it is given, the version. */
export function parseReference(reference: string): { name: string; version?: number } {
  const [, path = reference] = /^arn:aws:ssm:[^:]*:[^:]*:parameter(.+)$/.exec(reference) ?? [];
  const [name = "", selector] = path.split(":");
  if (selector === undefined) return { name };
  if (!/^\d+$/.test(selector)) {
    throw new ServiceException(
      "ValidationException",
      `local-aws: ssm has no labels, only versions: ${reference}`,
    );
  }
  return { name, version: Number(selector) };
}

/** @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
function refuseReserved(name: string): void {
  const [, prefix] = /^\/?(aws|ssm)/i.exec(name) ?? [];
  if (prefix === undefined) return;
  if (prefix.toLowerCase() === "aws" && name.startsWith("/")) {
    throw new ServiceException("AccessDeniedException", `No access to reserved parameter name: ${name}.`);
  }
  throw new ServiceException(
    "ValidationException",
    `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive) (${name})`,
  );
}

const covered = [
  "Name",
  "Value",
  "Type",
  "Overwrite",
  "Description",
  "AllowedPattern",
  "Tags",
  "Tier",
  "DataType",
];

/** @throws ServiceException as AWS words it, for what it would not take */
// biome-ignore lint/suspicious/noExplicitAny: what comes over the wire
export function checkPutParameter(input: any, existing: Parameter | undefined): void {
  refuseOthers("PutParameter", input, covered);
  const { Name, Value, Type, Overwrite = false, AllowedPattern, Tags, Tier, DataType } = input;
  const invalid = (message: string) => new ServiceException("ValidationException", message);
  if (!/^[\w.\-/]+$/.test(Name ?? "")) {
    throw invalid(
      'Parameter name: can\'t be prefixed with "ssm" (case-insensitive) or "aws", and can only contain letters, numbers and the symbols .-_/',
    );
  }
  refuseReserved(Name);
  if (Name.includes("/") && !Name.startsWith("/"))
    throw invalid("Parameter name must be a fully qualified name.");
  if (typeof Value !== "string" || Value.length === 0) {
    throw invalid(
      "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  }
  if (Buffer.byteLength(Value) > standardTierMaxBytes) {
    throw invalid(
      `Standard tier parameters support a maximum parameter value of ${standardTierMaxBytes} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.`,
    );
  }
  if (existing !== undefined && !Overwrite) {
    throw new ServiceException(
      "ParameterAlreadyExists",
      "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    );
  }
  if (Overwrite && Tags?.length > 0) {
    throw invalid(
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
    );
  }
  if (existing === undefined && Type === undefined) {
    throw invalid("A parameter type is required when you create a parameter.");
  }
  if (Type !== undefined && Type !== "String" && Type !== "StringList") {
    throw new ServiceException("UnsupportedParameterType", `local-aws: ssm has no ${Type} parameters`);
  }
  if ((Tier ?? "Standard") !== "Standard" || (DataType ?? "text") !== "text") {
    throw invalid(`local-aws: ssm has no ${Tier ?? ""} ${DataType ?? ""} parameters`);
  }
  if (AllowedPattern !== undefined && !new RegExp(AllowedPattern).test(Value)) {
    throw new ServiceException(
      "ParameterPatternMismatchException",
      `Parameter value, cannot be validated against allowedPattern: ${AllowedPattern}`,
    );
  }
}
