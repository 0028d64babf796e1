import { buildAwsError } from "./aws-answer.ts";

export interface ParameterVersion {
  readonly Version: number;
  readonly Value: string;
  readonly Description: string | undefined;
}

export interface PutInput {
  readonly Name: string;
  readonly Value: string;
  readonly Description?: string;
  readonly Overwrite?: boolean;
}

/** Parameter Store: versions that count up, an atomic create, and a history of the last 100. */
export function createFakeSsm(onPut: (name: string) => void) {
  const parameters = new Map<string, ParameterVersion[]>();
  const newest = (name: string) => parameters.get(name)?.at(-1);

  return {
    newest,
    history: (name: string): readonly ParameterVersion[] => parameters.get(name) ?? [],
    remove: (name: string) => parameters.delete(name),
    operations: {
      GetParameter({ Name }: { Name: string }) {
        const found = newest(Name);
        if (found === undefined) throw buildAwsError("ParameterNotFound");
        return { Parameter: { Name, ...found } };
      },
      GetParameters({ Names }: { Names: string[] }) {
        const found = Names.filter((name) => parameters.has(name));
        return { Parameters: found.map((Name) => ({ Name, ...newest(Name) })) };
      },
      GetParameterHistory({ Name, NextToken = "0" }: { Name: string; NextToken?: string }) {
        const versions = parameters.get(Name);
        if (versions === undefined) throw buildAwsError("ParameterNotFound");
        const from = Number(NextToken);
        const more = from + 50 < versions.length;
        return {
          Parameters: versions.slice(from, from + 50),
          NextToken: more ? String(from + 50) : undefined,
        };
      },
      PutParameter({ Name, Value, Description, Overwrite }: PutInput) {
        const versions = parameters.get(Name) ?? [];
        if (versions.length > 0 && !Overwrite) throw buildAwsError("ParameterAlreadyExists");
        const Version = (versions.at(-1)?.Version ?? 0) + 1;
        parameters.set(Name, [...versions, { Version, Value, Description }].slice(-100));
        onPut(Name);
        return { Version };
      },
    },
  };
}

export type FakeSsm = ReturnType<typeof createFakeSsm>;
