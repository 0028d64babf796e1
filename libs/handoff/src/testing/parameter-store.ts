import {
  GetParameterCommand,
  GetParameterHistoryCommand,
  type Parameter,
  PutParameterCommand,
} from "@aws-sdk/client-ssm";
import { buildAwsError } from "./intercept.ts";

/** The parameters of an account, inside of this process: answers at once, as a request of `SSMClient.send` would be. */
export function createParameterStore(): (command: object) => Promise<object> {
  const parameters = new Map<string, Parameter[]>();
  const versionsOf = (name = "") => {
    const versions = parameters.get(name);
    if (versions !== undefined) return versions;
    throw buildAwsError("ParameterNotFound", name);
  };
  return async (command) => {
    if (command instanceof GetParameterCommand) {
      return { Parameter: versionsOf(command.input.Name).at(-1) };
    }
    if (command instanceof GetParameterHistoryCommand) return { Parameters: versionsOf(command.input.Name) };
    if (!(command instanceof PutParameterCommand)) throw new Error(`unexpected: ${command.constructor.name}`);
    const { Name = "", Value, Overwrite = false } = command.input;
    const before = parameters.get(Name) ?? [];
    if (before.length > 0 && !Overwrite) throw buildAwsError("ParameterAlreadyExists", Name);
    const Version = before.length + 1;
    parameters.set(Name, [...before, { Name, Value, Version }]);
    return { Version };
  };
}
