import { randomUUID } from "node:crypto";
import type { ServiceContext } from "../service.ts";
import type { CodeCache } from "./code/index.ts";
import { conflict } from "./errors.ts";
import { type Functions, findVersion, nameOf } from "./functions.ts";
import type { LambdaFunction, Runnable, Version } from "./model.ts";

const creating = { code: "Creating", text: "The function is being created." };
const updating = { code: "Updating", text: "The function is being updated." };

export type Updates = ReturnType<typeof createUpdates>;

/** How a version becomes what a request wants: the answer comes at once, the work is done behind it. */
export function createUpdates(
  context: ServiceContext,
  functions: Functions,
  codeCache: Pick<CodeCache, "unpack">,
  retire: () => void,
) {
  const stamp = () => ({ revisionId: randomUUID(), lastModified: context.now() });

  function replaceVersion(fn: LambdaFunction, changed: Version): LambdaFunction {
    if (changed.version === "$LATEST") return { ...fn, latest: changed };
    const published = fn.published.map((version) =>
      version.version === changed.version ? changed : version,
    );
    return { ...fn, published };
  }

  /** Unpacks the code and says that the version is ready. A change of the version meanwhile can't be: it is refused. */
  function finish(name: string, version: string): void {
    const work = async () => {
      const before = functions.find(name);
      const started = before === undefined ? undefined : findVersion(before, version);
      if (started === undefined) return;
      const failure = await codeCache.unpack(started.runnable.code).then(
        () => undefined,
        (error: Error) => ({ code: "InvalidImage", text: error.message }),
      );
      const fn = functions.find(name);
      const current = fn === undefined ? undefined : findVersion(fn, version);
      if (fn === undefined || current?.runnable.id !== started.runnable.id) return;
      const settled = failure === undefined ? succeed(current) : fail(current, failure);
      functions.put(replaceVersion(fn, { ...settled, revisionId: randomUUID() }));
      retire();
    };
    context.keepAlive(work());
  }

  return {
    /** `$LATEST` of a new function. */
    buildFirst: (runnable: Runnable): Version => ({
      version: "$LATEST",
      runnable,
      ...stamp(),
      state: "Pending",
      lastUpdateStatus: "Successful",
      reason: creating,
    }),

    /** A copy of `$LATEST` under a number. */
    buildPublished: (latest: Version, version: string, runnable: Runnable): Version => ({
      ...latest,
      version,
      runnable,
      ...stamp(),
      state: "Pending",
      reason: creating,
    }),

    /** Gives `$LATEST` something else to run; until that is ready, calls get what they got before. */
    changeLatest(fn: LambdaFunction, change: Omit<Runnable, "id">): LambdaFunction {
      const { latest } = fn;
      const changed: Version = {
        ...latest,
        runnable: { id: randomUUID(), ...change },
        previous: latest.previous ?? latest.runnable,
        ...stamp(),
        lastUpdateStatus: "InProgress",
        reason: updating,
      };
      return { ...fn, latest: changed };
    },

    finish,

    /** @throws ServiceException `ResourceConflictException`, as long as an earlier change is not done */
    refuseWhileBusy(fn: LambdaFunction): void {
      if (fn.latest.state === "Pending") {
        throw conflict(
          "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        );
      }
      if (fn.latest.lastUpdateStatus === "InProgress") {
        throw conflict(
          `The operation cannot be performed at this time. An update is in progress for resource: ${functions.arnOf(nameOf(fn))}`,
        );
      }
    },

    /** Finishes what a killed server left half done. */
    resume(): void {
      for (const fn of functions.list()) {
        for (const { version, state, lastUpdateStatus } of [fn.latest, ...fn.published]) {
          if (state === "Pending" || lastUpdateStatus === "InProgress") finish(nameOf(fn), version);
        }
      }
    },
  };
}

function succeed({ previous: _previous, reason: _reason, ...version }: Version): Version {
  return { ...version, state: "Active", lastUpdateStatus: "Successful" };
}

function fail(version: Version, reason: Version["reason"]): Version {
  if (version.state === "Pending") return { ...version, state: "Failed", reason };
  return { ...version, lastUpdateStatus: "Failed", reason };
}
