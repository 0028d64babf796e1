import { buildAwsError } from "./aws-answer.ts";

export interface FakeVersion {
  readonly version: string;
  /** 64 hex digits. */
  readonly codeSha256: string;
  readonly memoryMiB: number;
  readonly revisionId: string;
  readonly isBusy: boolean;
}

export interface FakeAlias {
  readonly version: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

export interface FakeFunction {
  readonly latest: FakeVersion;
  readonly versions: readonly FakeVersion[];
  readonly live: FakeAlias;
  readonly nextVersion: number;
  /** `$LATEST` before its last change, which a read may still show for a moment. */
  readonly before?: { readonly latest: FakeVersion; readonly untilMs: number };
}

export interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string;
  readonly RevisionId?: string;
}

/** For how long a read may show what was before the last change. */
const longestLagMs = 2_000;

export interface FakeLambdaProps {
  readonly nowMs: () => number;
  /** Calls back when Lambda has done an update in the background. */
  readonly later: (happen: () => void) => void;
  /** Resolves the digest of an image URI by tag or digest; `undefined` where there is none or it is an index. */
  readonly findDigest: (imageUri: string) => string | undefined;
  /** Whether the image answers the smoke event well. */
  readonly isHealthy: (codeSha256: string) => boolean;
  readonly onSmokePassed: (name: string, codeSha256: string) => void;
  readonly onAliasMoved: (name: string, before: FakeAlias, after: FakeAlias) => void;
  readonly onVersionDeleted: (name: string, version: string) => void;
}

/** Functions with versions, the alias `live`, revisions that fence, and updates that take their time. */
export function createFakeLambda(props: FakeLambdaProps) {
  const functions = new Map<string, FakeFunction>();
  let revisions = 0;
  const nextRevision = () => `revision-${++revisions}`;

  function mustFind(name: string): FakeFunction {
    const found = functions.get(name);
    if (found === undefined) throw buildAwsError("ResourceNotFoundException");
    return found;
  }

  function findVersion(name: string, qualifier = "$LATEST"): FakeVersion {
    const { latest, versions, live } = mustFind(name);
    if (qualifier === "$LATEST") return latest;
    const version = qualifier === "live" ? live.version : qualifier;
    const found = versions.find((candidate) => candidate.version === version);
    if (found === undefined) throw buildAwsError("ResourceNotFoundException");
    return found;
  }

  function refuseFenced({ isBusy, revisionId }: FakeVersion, expected: string | undefined): void {
    if (isBusy) throw buildAwsError("ResourceConflictException", "An update is in progress for resource");
    refuseStale(revisionId, expected);
  }

  function refuseStale(revisionId: string, expected: string | undefined): void {
    if (expected !== undefined && expected !== revisionId) throw buildAwsError("PreconditionFailedException");
  }

  function resolve(imageUri: string): string {
    const digest = props.findDigest(imageUri);
    if (digest === undefined) {
      throw buildAwsError("InvalidParameterValueException", `Source image ${imageUri} does not exist.`);
    }
    return digest.slice("sha256:".length);
  }

  /** Changes `$LATEST`, whoever asks: the API or CloudFormation. */
  function changeLatest(
    name: string,
    change: { imageUri?: string; memoryMiB?: number },
    revisionId?: string,
  ): FakeVersion {
    const fn = mustFind(name);
    refuseFenced(fn.latest, revisionId);
    const codeSha256 = change.imageUri === undefined ? fn.latest.codeSha256 : resolve(change.imageUri);
    const memoryMiB = change.memoryMiB ?? fn.latest.memoryMiB;
    const latest = { ...fn.latest, codeSha256, memoryMiB, revisionId: nextRevision(), isBusy: true };
    const before = { latest: fn.latest, untilMs: props.nowMs() + longestLagMs };
    functions.set(name, { ...fn, latest, before });
    props.later(() => {
      const now = functions.get(name);
      if (now?.latest.revisionId !== latest.revisionId) return;
      functions.set(name, { ...now, latest: { ...latest, revisionId: nextRevision(), isBusy: false } });
    });
    return latest;
  }

  function publish(name: string): FakeVersion {
    const fn = mustFind(name);
    const last = fn.versions.at(-1);
    if (last?.codeSha256 === fn.latest.codeSha256 && last.memoryMiB === fn.latest.memoryMiB) return last;
    const published = { ...fn.latest, version: String(fn.nextVersion), revisionId: nextRevision() };
    functions.set(name, {
      ...fn,
      // On AWS too a published version gives `$LATEST` a new revision.
      latest: { ...fn.latest, revisionId: nextRevision() },
      versions: [...fn.versions, published],
      nextVersion: fn.nextVersion + 1,
    });
    return published;
  }

  return {
    find: (name: string) => functions.get(name),
    isBusy: (name: string) => functions.get(name)?.latest.isBusy === true,
    changeLatest,
    /** Other code, and nothing under way any more. */
    replaceLatest(name: string, codeSha256: string) {
      const fn = functions.get(name);
      if (fn === undefined) return;
      const latest = { ...fn.latest, codeSha256, revisionId: nextRevision(), isBusy: false };
      functions.set(name, { ...fn, latest });
    },
    /** As CloudFormation does: the function, its first version, and the alias on it. */
    create(name: string, imageUri: string, memoryMiB: number) {
      const codeSha256 = resolve(imageUri);
      const latest = { version: "$LATEST", codeSha256, memoryMiB, revisionId: nextRevision(), isBusy: false };
      const first = { ...latest, version: "1", revisionId: nextRevision() };
      const live = { version: "1", weights: {}, revisionId: nextRevision() };
      functions.set(name, { latest, versions: [first], live, nextVersion: 2 });
    },
    laggingOperations: {
      GetFunctionConfiguration({ FunctionName, Qualifier }: Named) {
        const { before } = mustFind(FunctionName);
        const lags = Qualifier === undefined && before !== undefined && props.nowMs() < before.untilMs;
        return describe(lags ? before.latest : findVersion(FunctionName, Qualifier));
      },
    },
    operations: {
      GetFunctionConfiguration: ({ FunctionName, Qualifier }: Named) =>
        describe(findVersion(FunctionName, Qualifier)),
      GetAlias: ({ FunctionName }: Named) => describeAlias(mustFind(FunctionName).live),
      ListAliases: ({ FunctionName }: Named) => ({ Aliases: [describeAlias(mustFind(FunctionName).live)] }),
      ListVersionsByFunction({ FunctionName }: Named) {
        const { latest, versions } = mustFind(FunctionName);
        return { Versions: [latest, ...versions].map(describe) };
      },
      UpdateFunctionCode: ({ FunctionName, ImageUri, RevisionId }: Named & { ImageUri: string }) =>
        describe(changeLatest(FunctionName, { imageUri: ImageUri }, RevisionId)),
      PublishVersion({ FunctionName, CodeSha256, RevisionId }: Named & { CodeSha256?: string }) {
        const { latest } = mustFind(FunctionName);
        refuseFenced(latest, RevisionId);
        if (CodeSha256 !== undefined && CodeSha256 !== latest.codeSha256) {
          throw buildAwsError("InvalidParameterValueException", `CodeSHA256 (${CodeSha256}) is different`);
        }
        return describe(publish(FunctionName));
      },
      UpdateAlias(
        input: Named & {
          FunctionVersion: string;
          RoutingConfig?: { AdditionalVersionWeights?: Record<string, number> };
        },
      ) {
        const fn = mustFind(input.FunctionName);
        refuseStale(fn.live.revisionId, input.RevisionId);
        findVersion(input.FunctionName, input.FunctionVersion);
        const weights = input.RoutingConfig?.AdditionalVersionWeights ?? fn.live.weights;
        const live = { version: input.FunctionVersion, weights, revisionId: nextRevision() };
        functions.set(input.FunctionName, { ...fn, live });
        props.onAliasMoved(input.FunctionName, fn.live, live);
        return describeAlias(live);
      },
      DeleteFunction({ FunctionName, Qualifier = "" }: Named) {
        const fn = mustFind(FunctionName);
        findVersion(FunctionName, Qualifier);
        if (fn.live.version === Qualifier || fn.live.weights[Qualifier] !== undefined) {
          throw buildAwsError(
            "ResourceConflictException",
            `Version ${Qualifier} is referenced by the alias live`,
          );
        }
        functions.set(FunctionName, {
          ...fn,
          versions: fn.versions.filter(({ version }) => version !== Qualifier),
        });
        props.onVersionDeleted(FunctionName, Qualifier);
        return {};
      },
      Invoke({ FunctionName, Qualifier }: Named) {
        const { codeSha256 } = findVersion(FunctionName, Qualifier);
        if (!props.isHealthy(codeSha256)) return { FunctionError: "Unhandled", Payload: Buffer.from("{}") };
        props.onSmokePassed(FunctionName, codeSha256);
        return { Payload: Buffer.from(JSON.stringify({ statusCode: 200 })) };
      },
    },
  };
}

export type FakeLambda = ReturnType<typeof createFakeLambda>;

function describe({ version, codeSha256, memoryMiB, revisionId, isBusy }: FakeVersion) {
  return {
    Version: version,
    CodeSha256: codeSha256,
    MemorySize: memoryMiB,
    RevisionId: revisionId,
    State: "Active",
    LastUpdateStatus: isBusy ? "InProgress" : "Successful",
  };
}

function describeAlias({ version, weights, revisionId }: FakeAlias) {
  return {
    Name: "live",
    FunctionVersion: version,
    RoutingConfig: { AdditionalVersionWeights: weights },
    RevisionId: revisionId,
  };
}
