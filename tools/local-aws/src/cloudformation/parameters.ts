import type { ServiceContext } from "../service.ts";
import type { Parameters } from "./stack.ts";
import { invalid, type Template } from "./template.ts";

/** A parameter as a change set is given it. */
export interface GivenParameter {
  readonly ParameterKey: string;
  readonly ParameterValue?: string;
  readonly UsePreviousValue?: unknown;
}

/** What the template's parameters are, and what those of an SSM type stand for right now. */
export async function resolveParameters(
  services: ServiceContext,
  template: Template,
  chosen: readonly GivenParameter[],
  previous: Parameters,
): Promise<Parameters> {
  const declared = template.Parameters ?? {};
  const unknown = chosen.filter(({ ParameterKey }) => !Object.hasOwn(declared, ParameterKey));
  if (unknown.length > 0) {
    const names = unknown.map(({ ParameterKey }) => ParameterKey).join(", ");
    throw invalid(`Parameters: [${names}] do not exist in the template`);
  }
  const given: Record<string, unknown> = {};
  const resolved: Record<string, unknown> = {};
  for (const [name, { Type, Default, AllowedValues, NoEcho = false }] of Object.entries(declared)) {
    if (String(NoEcho) === "true")
      throw invalid(`local-aws: NoEcho, of the parameter ${name}, is not covered`);
    const own = chosen.find(({ ParameterKey }) => ParameterKey === name);
    const kept = String(own?.UsePreviousValue) === "true" ? previous.given[name] : undefined;
    const value = kept ?? own?.ParameterValue ?? Default;
    if (value === undefined) throw invalid(`Parameters: [${name}] must have values`);
    if (AllowedValues !== undefined && !AllowedValues.map(String).includes(String(value))) {
      throw invalid(`Parameter '${name}' must be one of AllowedValues`);
    }
    given[name] = value;
    resolved[name] = await resolveValue(services, name, Type, value);
  }
  return { given, resolved };
}

async function resolveValue(
  { call }: ServiceContext,
  name: string,
  type: string,
  value: unknown,
): Promise<unknown> {
  switch (type) {
    case "String":
    case "Number":
      return value;
    case "CommaDelimitedList": {
      const items = String(value).split(",");
      return value === "" ? [] : items.map((item) => item.trim());
    }
    case "AWS::SSM::Parameter::Value<String>":
      try {
        const { Parameter } = await call<{ Parameter: { Value: string } }>("ssm", "GetParameter", {
          Name: value,
        });
        return Parameter.Value;
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "ParameterNotFound") throw error;
        throw invalid(`Unable to fetch parameters [${value}] from parameter store for this account.`);
      }
    default:
      throw invalid(`local-aws: the parameter type ${type} of ${name} is not covered`);
  }
}
