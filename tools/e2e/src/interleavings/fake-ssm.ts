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

/** For how long a read may show what was before the last write. */
const longestLagMs = 3_000;

/** Parameter Store: versions that count up, an atomic create, a history of the last 100, and reads that may lag. */
export function createFakeSsm(nowMs: () => number, onPut: (name: string) => void) {
  const parameters = new Map<string, ParameterVersion[]>();
  const writtenAtMs = new Map<string, number>();
  const newest = (name: string) => parameters.get(name)?.at(-1);
  const lags = (name: string) => nowMs() - (writtenAtMs.get(name) ?? 0) < longestLagMs;

  return {
    newest,
    history: (name: string): readonly ParameterVersion[] => parameters.get(name) ?? [],
    remove: (name: string) => parameters.delete(name),
    laggingOperations: {
      GetParameter: ({ Name }: { Name: string }) =>
        describe(Name, lags(Name) ? parameters.get(Name)?.at(-2) : newest(Name)),
    },
    operations: {
      GetParameter: ({ Name }: { Name: string }) => describe(Name, newest(Name)),
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
        writtenAtMs.set(Name, nowMs());
        onPut(Name);
        return { Version };
      },
    },
  };
}

function describe(Name: string, found: ParameterVersion | undefined) {
  if (found === undefined) throw buildAwsError("ParameterNotFound");
  return { Parameter: { Name, ...found } };
}
