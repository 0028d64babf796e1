import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { takePage } from "../paging.ts";
import { type Operation, refuseOthers } from "../service.ts";
import { describeVersion } from "./description.ts";
import { checkRevision, invalidParameter } from "./errors.ts";
import { type Functions, nameOf, parseReference } from "./functions.ts";
import type { LambdaFunction, Runnable, Version } from "./model.ts";
import type { Updates } from "./updates.ts";

/** Published versions: copies of `$LATEST` that never change. */
export function createVersionOperations(functions: Functions, updates: Updates): Record<string, Operation> {
  const describe = (fn: LambdaFunction, version: Version) =>
    describeVersion(version, functions.arnOf(nameOf(fn), version.version));

  return {
    async PublishVersion({ FunctionName, CodeSha256, RevisionId, Description, ...others }) {
      refuseOthers("PublishVersion", others, []);
      const fn = functions.mustFind(parseReference(FunctionName));
      const { latest } = fn;
      updates.refuseWhileBusy(fn);
      checkRevision(RevisionId, latest.revisionId);
      const { sha256 } = latest.runnable.code;
      if (CodeSha256 !== undefined && CodeSha256 !== sha256) {
        throw invalidParameter(
          `CodeSHA256 (${CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). Please try again with the CodeSHA256 in $LATEST.`,
        );
      }
      const last = fn.published.at(-1);
      if (last !== undefined && isSame(last.runnable, latest.runnable)) return describe(fn, last);
      const { code, configuration } = latest.runnable;
      const runnable: Runnable = {
        id: randomUUID(),
        code,
        configuration: { ...configuration, Description: Description ?? configuration.Description },
      };
      const published = updates.buildPublished(latest, String(fn.nextVersion), runnable);
      functions.put({
        ...fn,
        published: [...fn.published, published],
        nextVersion: fn.nextVersion + 1,
        latest: { ...latest, revisionId: randomUUID() },
      });
      updates.finish(nameOf(fn), published.version);
      return describe(fn, published);
    },

    async ListVersionsByFunction({ FunctionName, Marker, MaxItems = 50 }) {
      const fn = functions.mustFind(parseReference(FunctionName));
      const page = takePage([fn.latest, ...fn.published], Number(MaxItems), Marker);
      return { Versions: page.items.map((version) => describe(fn, version)), NextMarker: page.nextToken };
    },
  };
}

/** Whether publishing would make nothing new. A version has a description of its own. */
function isSame(published: Runnable, latest: Runnable): boolean {
  const { Description: _own, ...configuration } = published.configuration;
  const { Description: _latest, ...latestConfiguration } = latest.configuration;
  return (
    published.code.sha256 === latest.code.sha256 && isDeepStrictEqual(configuration, latestConfiguration)
  );
}
