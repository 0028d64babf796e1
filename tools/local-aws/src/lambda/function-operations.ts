import { randomUUID } from "node:crypto";
import { takePage } from "../paging.ts";
import { type Operation, refuseOthers } from "../service.ts";
import type { CodeCache } from "./code/index.ts";
import { buildConfiguration, type ConfigurationInput, changeConfiguration } from "./configuration.ts";
import { describeCode, describeVersion } from "./description.ts";
import { checkRevision, conflict, invalidParameter } from "./errors.ts";
import { type Functions, findAlias, nameOf, parseReference } from "./functions.ts";
import type { LambdaFunction, Version } from "./model.ts";
import type { Updates } from "./updates.ts";

const codeMembers = ["ImageUri", "S3Bucket", "S3Key", "ZipFile"];

/** Functions, their code and their configuration. */
export function createFunctionOperations(
  functions: Functions,
  updates: Updates,
  codeCache: CodeCache,
  retire: () => void,
): Record<string, Operation> {
  const describeLatest = (fn: LambdaFunction) => describeVersion(fn.latest, functions.arnOf(nameOf(fn)));

  function describe(
    text: string,
    given?: string,
  ): { version: Version; fn: LambdaFunction; described: object } {
    const reference = parseReference(text, given);
    const fn = functions.mustFind(reference);
    const version = functions.mustFindVersion(fn, reference.qualifier);
    const arn = functions.arnOf(reference.name, reference.qualifier);
    return { version, fn, described: describeVersion(version, arn) };
  }

  /** A function as it may be changed right now by someone who has seen that revision. */
  function mustFindChangeable(text: string, revisionId: string | undefined): LambdaFunction {
    const fn = functions.mustFind(parseReference(text));
    updates.refuseWhileBusy(fn);
    checkRevision(revisionId, fn.latest.revisionId);
    return fn;
  }

  function deleteVersion(fn: LambdaFunction, qualifier: string): void {
    if (qualifier === "$LATEST") {
      throw invalidParameter("$LATEST version cannot be deleted without deleting the function.");
    }
    if (findAlias(fn, qualifier) !== undefined) {
      throw invalidParameter("Deletion of aliases is not supported by DeleteFunction: use DeleteAlias.");
    }
    const { version } = functions.mustFindVersion(fn, qualifier);
    const users = Object.values(fn.aliases).filter(
      ({ FunctionVersion, RoutingConfig }) =>
        FunctionVersion === version || Object.hasOwn(RoutingConfig?.AdditionalVersionWeights ?? {}, version),
    );
    if (users.length > 0) {
      const names = users.map(({ Name }) => Name).join(", ");
      throw conflict(`Unable to delete version because the following aliases reference it: [${names}]`);
    }
    functions.put({ ...fn, published: fn.published.filter((candidate) => candidate.version !== version) });
  }

  return {
    async CreateFunction({ FunctionName, PackageType = "Zip", Architectures, Code, Tags = {}, ...settings }) {
      if (!/^[\w-]{1,64}$/.test(FunctionName)) {
        throw invalidParameter(
          `1 validation error detected: Value '${FunctionName}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+`,
        );
      }
      refuseOthers("CreateFunction", Code, codeMembers);
      const configuration = buildConfiguration(
        { FunctionName, PackageType, Architectures: Architectures ?? ["x86_64"] },
        settings,
      );
      const refuseTwice = () => {
        if (functions.find(FunctionName) === undefined) return;
        throw conflict(`Function already exist: ${FunctionName}`);
      };
      refuseTwice();
      const code = await codeCache.resolve(Code, PackageType);
      refuseTwice();
      const latest = updates.buildFirst({ id: randomUUID(), configuration, code });
      const fn: LambdaFunction = {
        latest,
        published: [],
        nextVersion: 1,
        aliases: {},
        urls: [],
        policies: {},
        tags: Tags,
      };
      functions.put(fn);
      updates.finish(FunctionName, "$LATEST");
      return describeLatest(fn);
    },

    async GetFunction({ FunctionName, Qualifier }) {
      const { fn, version, described } = describe(FunctionName, Qualifier);
      const { tags } = fn;
      return {
        Configuration: described,
        Code: describeCode(version),
        ...(Object.keys(tags).length > 0 && { Tags: tags }),
      };
    },

    GetFunctionConfiguration: async ({ FunctionName, Qualifier }) =>
      describe(FunctionName, Qualifier).described,

    async ListFunctions({ Marker, MaxItems = 50 }) {
      const page = takePage(functions.list(), Number(MaxItems), Marker);
      return { Functions: page.items.map(describeLatest), NextMarker: page.nextToken };
    },

    async UpdateFunctionCode({ FunctionName, RevisionId, DryRun = false, Architectures, ...input }) {
      refuseOthers("UpdateFunctionCode", input, codeMembers);
      const { PackageType } = mustFindChangeable(FunctionName, RevisionId).latest.runnable.configuration;
      const code = await codeCache.resolve(input, PackageType);
      // Others may have changed it while the code was looked up.
      const fn = mustFindChangeable(FunctionName, RevisionId);
      const { configuration } = fn.latest.runnable;
      const changed = updates.changeLatest(fn, {
        code,
        configuration: { ...configuration, Architectures: Architectures ?? configuration.Architectures },
      });
      if (DryRun) return describeLatest(changed);
      functions.put(changed);
      updates.finish(nameOf(fn), "$LATEST");
      return describeLatest(changed);
    },

    async UpdateFunctionConfiguration({ FunctionName, RevisionId, ...input }) {
      const fn = mustFindChangeable(FunctionName, RevisionId);
      const { code, configuration } = fn.latest.runnable;
      const changed = updates.changeLatest(fn, {
        code,
        configuration: changeConfiguration(configuration, input as ConfigurationInput),
      });
      functions.put(changed);
      updates.finish(nameOf(fn), "$LATEST");
      return describeLatest(changed);
    },

    async DeleteFunction({ FunctionName, Qualifier }) {
      const reference = parseReference(FunctionName, Qualifier);
      const fn = functions.mustFind(reference);
      if (reference.qualifier === undefined) functions.delete(reference.name);
      else deleteVersion(fn, reference.qualifier);
      retire();
      return {};
    },

    /** Nothing is reserved here: what functions share is this machine. */
    async GetFunctionConcurrency({ FunctionName }) {
      functions.mustFind(parseReference(FunctionName));
      return {};
    },

    ListTags: async ({ Resource }) => ({ Tags: functions.mustFind(parseReference(Resource)).tags }),

    async TagResource({ Resource, Tags }) {
      const fn = functions.mustFind(parseReference(Resource));
      functions.put({ ...fn, tags: { ...fn.tags, ...Tags } });
      return {};
    },

    async UntagResource({ Resource, TagKeys, tagKeys = TagKeys }) {
      const fn = functions.mustFind(parseReference(Resource));
      const kept = Object.entries(fn.tags).filter(([key]) => ![tagKeys].flat().includes(key));
      functions.put({ ...fn, tags: Object.fromEntries(kept) });
      return {};
    },
  };
}
