import { randomUUID } from "node:crypto";
import { takePage } from "../paging.ts";
import { type Operation, refuseOthers } from "../service.ts";
import { checkRevision, conflict, invalidParameter } from "./errors.ts";
import { type Functions, findAlias, nameOf, parseReference } from "./functions.ts";
import type { Alias, LambdaFunction } from "./model.ts";

/** Names for versions, with weights for a second one. */
export function createAliasOperations(functions: Functions): Record<string, Operation> {
  const describe = (fn: LambdaFunction, alias: Alias) => ({
    ...alias,
    AliasArn: functions.arnOf(nameOf(fn), alias.Name),
  });

  function put(fn: LambdaFunction, alias: Omit<Alias, "RevisionId">): object {
    functions.mustFindVersion(fn, alias.FunctionVersion);
    checkWeights(fn, alias);
    const changed = { ...alias, RevisionId: randomUUID() };
    functions.put({ ...fn, aliases: { ...fn.aliases, [alias.Name]: changed } });
    return describe(fn, changed);
  }

  function checkWeights(
    fn: LambdaFunction,
    { FunctionVersion, RoutingConfig }: Omit<Alias, "RevisionId">,
  ): void {
    const weights = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {});
    if (weights.length === 0) return;
    if (weights.length > 1) {
      throw invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1");
    }
    if (FunctionVersion === "$LATEST") {
      throw invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version");
    }
    for (const [version, weight] of weights) {
      if (version === FunctionVersion) {
        throw invalidParameter(
          `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
        );
      }
      functions.mustFindVersion(fn, version);
      if (!(weight >= 0 && weight <= 1)) {
        throw invalidParameter(`The weight of version ${version} must be between 0 and 1, and is ${weight}`);
      }
    }
  }

  return {
    async CreateAlias({ FunctionName, Name, FunctionVersion, Description = "", RoutingConfig, ...others }) {
      refuseOthers("CreateAlias", others, []);
      const fn = functions.mustFind(parseReference(FunctionName));
      if (!/^(?!\d+$)[\w-]{1,128}$/.test(Name)) {
        throw invalidParameter(
          `1 validation error detected: Value '${Name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`,
        );
      }
      if (findAlias(fn, Name) !== undefined) {
        throw conflict(`Alias already exists: ${functions.arnOf(nameOf(fn), Name)}`);
      }
      return put(fn, { Name, FunctionVersion, Description, RoutingConfig });
    },

    async GetAlias({ FunctionName, Name }) {
      const fn = functions.mustFind(parseReference(FunctionName));
      return describe(fn, functions.mustFindAlias(fn, Name));
    },

    /** What is not given stays as it is, the weights too. */
    async UpdateAlias({ FunctionName, Name, RevisionId, ...changes }) {
      refuseOthers("UpdateAlias", changes, ["FunctionVersion", "Description", "RoutingConfig"]);
      const fn = functions.mustFind(parseReference(FunctionName));
      const alias = functions.mustFindAlias(fn, Name);
      checkRevision(RevisionId, alias.RevisionId);
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
      return put(fn, { ...alias, ...given });
    },

    async DeleteAlias({ FunctionName, Name }) {
      const fn = functions.mustFind(parseReference(FunctionName));
      const { [Name]: _deleted, ...aliases } = fn.aliases;
      functions.put({ ...fn, aliases });
      return {};
    },

    async ListAliases({ FunctionName, FunctionVersion, Marker, MaxItems = 50 }) {
      const fn = functions.mustFind(parseReference(FunctionName));
      const chosen = Object.values(fn.aliases).filter(
        (alias) => FunctionVersion === undefined || alias.FunctionVersion === FunctionVersion,
      );
      const page = takePage(chosen, Number(MaxItems), Marker);
      return { Aliases: page.items.map((alias) => describe(fn, alias)), NextMarker: page.nextToken };
    },
  };
}
