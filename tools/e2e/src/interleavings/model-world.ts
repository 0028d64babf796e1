import { type FunctionOnStage, initialTag, parseFunction, stages } from "@workspace/shared-config";
import { initialDigest, isHealthy } from "./contents.ts";
import { createFakeCloudFormation, type StackStart } from "./fake-cloudformation.ts";
import { createFakeEcr } from "./fake-ecr.ts";
import { createFakeLambda, type FakeAlias, type FakeFunction } from "./fake-lambda.ts";
import { createFakeSsm } from "./fake-ssm.ts";
import { findEffectiveHolder } from "./lease-oracle.ts";
import type { Simulation } from "./simulation.ts";

/** Of both stages, whatever the stage table has. */
export const modelRegion = "eu-central-1";
const known = { region: modelRegion, architecture: "x86_64" } as const;
export const fns = {
  dev: parseFunction("lambda-app", { ...stages.dev, ...known }, "x86_64"),
  prod: parseFunction("lambda-app", { ...stages.prod, ...known }, "x86_64"),
} as const satisfies Record<string, FunctionOnStage>;
export type ModelStage = keyof typeof fns;

/** Who makes a call, as far as the promises ask. */
export interface Caller {
  readonly name: string;
  readonly kind: "release" | "rollback" | "deploy" | "promote" | "prune";
}

/** What the promises remember of a function. */
export interface Memory {
  wasPublished: boolean;
  /** Digests that passed a smoke check of this function. */
  readonly proven: Set<string>;
}

/** The account that the commands work on. It watches every change, and keeps what broke a promise, in sentences. */
export function createModelWorld(simulation: Simulation, random: () => number) {
  const violations: string[] = [];
  const memories = new Map<string, Memory>(
    Object.values(fns).map(({ functionName }) => [functionName, { wasPublished: false, proven: new Set() }]),
  );
  let caller: Caller | undefined;

  const later = (happen: () => void) => simulation.after(200 + Math.floor(random() * 6_000), happen);
  const ssm = createFakeSsm(simulation.nowMs, onPut);
  const ecr = createFakeEcr(onImageDeleted);
  const lambda = createFakeLambda({
    nowMs: simulation.nowMs,
    later,
    findDigest: (imageUri) => {
      const [, repository = "", reference = ""] = /\/([^:@]+)[:@](.+)$/.exec(imageUri) ?? [];
      const image = reference.startsWith("sha256:")
        ? ecr.findByDigest(repository, reference)
        : ecr.findByTag(repository, reference);
      return image === undefined || image.isIndex ? undefined : image.digest;
    },
    isHealthy,
    onSmokePassed: (name, codeSha256) => memoryOf(name).proven.add(`sha256:${codeSha256}`),
    onAliasMoved,
    onVersionDeleted: () => {},
  });
  const cloudformation = createFakeCloudFormation({ lambda, later });

  const memoryOf = (functionName: string): Memory => {
    const memory = memories.get(functionName);
    if (memory === undefined) throw new Error(`the model has no function ${functionName}`);
    return memory;
  };
  const violate = (text: string) =>
    violations.push(`${text} (${caller?.name ?? "CloudFormation"} at ${simulation.nowMs()} ms)`);
  const publishedDigestOf = ({ imageTagParameter, repositoryName }: FunctionOnStage) => {
    const tag = ssm.newest(imageTagParameter)?.Value;
    return tag === undefined ? undefined : ecr.findByTag(repositoryName, tag)?.digest;
  };

  /** P3: what is published exists, can run, has passed its check, and is live already. */
  function onPut(name: string): void {
    const fn = Object.values(fns).find(({ imageTagParameter }) => imageTagParameter === name);
    if (fn === undefined) return;
    const tag = ssm.newest(name)?.Value ?? "";
    const image = ecr.findByTag(fn.repositoryName, tag);
    if (image === undefined) violate(`P3: ${tag} is published and has no image`);
    else if (image.isIndex) violate(`P3: ${tag} is published and is an index`);
    else if (!memoryOf(fn.functionName).proven.has(image.digest)) violate(`P3: ${tag} is published unproven`);
    else if (liveDigestOf(lambda.find(fn.functionName)) !== image.digest) {
      violate(`P3: ${tag} is published before it is live`);
    }
    memoryOf(fn.functionName).wasPublished = true;
  }

  /** P1, P2 and P3: what gets traffic is proven, and a deploy never changes which image it is. */
  function onAliasMoved(functionName: string, before: FakeAlias, after: FakeAlias): void {
    const fn = mustFindFn(functionName);
    const { wasPublished, proven } = memoryOf(functionName);
    const live = lambda.find(functionName);
    for (const version of [after.version, ...Object.keys(after.weights)]) {
      const digest = digestOf(live, version);
      if (digest === initialDigest) {
        if (wasPublished) violate("P1: the placeholder gets traffic after a release");
      } else if (digest !== undefined && !proven.has(digest)) {
        violate(`P3: unproven code gets traffic as version ${version}`);
      }
    }
    const expected = publishedDigestOf(fn) ?? initialDigest;
    const moved = digestOf(live, after.version);
    if (caller?.kind === "deploy" && moved !== expected && moved !== digestOf(live, before.version)) {
      violate(`P2: a deploy moves traffic to ${moved}`);
    }
  }

  /** P4: nothing that is deleted is needed. */
  function onImageDeleted(repositoryName: string, digest: string, tags: readonly string[]): void {
    const fn = Object.values(fns).find((candidate) => candidate.repositoryName === repositoryName);
    if (fn === undefined) return;
    const found = lambda.find(fn.functionName);
    const needed = [found?.live.version ?? "", ...Object.keys(found?.live.weights ?? {}), "$LATEST"];
    for (const version of needed) {
      if (digestOf(found, version) === digest) violate(`P4: the image of ${version} is deleted`);
    }
    const { template } = cloudformation.find(fn.stackName) ?? {};
    for (const tag of tags) {
      if (tag === initialTag) violate(`P4: ${initialTag} is deleted`);
      if (tag === ssm.newest(fn.imageTagParameter)?.Value) violate(`P4: the published ${tag} is deleted`);
      if (template?.imageUri.endsWith(`:${tag}`)) violate(`P4: the template's ${tag} is deleted`);
    }
  }

  /** P6: whatever moves something holds the lease at that very moment. */
  function refuseWithoutLease(by: Caller, operation: string, input: object): void {
    if (!movingOperations.has(operation)) return;
    const fn = Object.values(fns).find(({ functionName, imageTagParameter }) =>
      Object.values(input).some((value) => value === functionName || value === imageTagParameter),
    );
    if (fn === undefined) return;
    const holder = findEffectiveHolder(ssm.history(fn.leaseParameter));
    if (!holder?.startsWith(`${by.name}#`)) {
      violate(`P6: ${operation} while ${holder ?? "nobody"} holds the lease`);
    }
  }

  const operations: Record<string, (input: never) => object> = {
    ...ssm.operations,
    ...ecr.operations,
    ...lambda.operations,
    ...cloudformation.operations,
    StartStack(start: StackStart) {
      if (start.template.imageUri.endsWith(`:${initialTag}`) && memoryOf(start.stackName).wasPublished) {
        violate("P1: the placeholder is deployed after a release");
      }
      return cloudformation.operations.StartStack(start);
    },
    /** What the outside steps do: the container CLI, and the CDK. */
    PushImage: ({ repository, tag, digest, isIndex }: PushInput) => {
      ecr.push(repository, tag, { digest, isIndex });
      return {};
    },
    CreateRepository: ({ repository }: { repository: string }) => {
      ecr.createRepository(repository);
      return {};
    },
    GetMetricData: () => ({ MetricDataResults: [{ Id: "errors", StatusCode: "Complete", Values: [] }] }),
  };
  const laggingOperations: typeof operations = { ...ssm.laggingOperations, ...lambda.laggingOperations };

  return {
    violations,
    violate,
    ssm,
    ecr,
    lambda,
    cloudformation,
    memoryOf,
    publishedDigestOf,
    /** What somebody may do in the console: the placeholder is in `$LATEST` of the function on dev, all at once. */
    meddle: () => lambda.replaceLatest(fns.dev.functionName, initialDigest.slice("sha256:".length)),
    /**
     * @param lags whether a read may show what was before the last write, where it is one that does
     * @throws what the service answers
     */
    carryOut(by: Caller, operation: string, input: object, lags = false): object {
      const operate = (lags ? laggingOperations[operation] : undefined) ?? operations[operation];
      if (operate === undefined) throw new Error(`the model has no ${operation}`);
      caller = by;
      try {
        const output = operate(input as never);
        refuseWithoutLease(by, operation, input);
        return output;
      } finally {
        caller = undefined;
      }
    },
  };
}

export type ModelWorld = ReturnType<typeof createModelWorld>;

export interface PushInput {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly isIndex: boolean;
}

const movingOperations = new Set([
  "BatchDeleteImage",
  "DeleteFunction",
  "PublishVersion",
  "PutImage",
  "PutParameter",
  "StartStack",
  "UpdateAlias",
  "UpdateFunctionCode",
]);

function mustFindFn(name: string): FunctionOnStage {
  const fn = Object.values(fns).find(({ functionName }) => functionName === name);
  if (fn === undefined) throw new Error(`the model has no function ${name}`);
  return fn;
}

export function liveDigestOf(fn: FakeFunction | undefined): string | undefined {
  return fn && digestOf(fn, fn.live.version);
}

function digestOf(fn: FakeFunction | undefined, version: string): string | undefined {
  const found =
    version === "$LATEST" ? fn?.latest : fn?.versions.find((candidate) => candidate.version === version);
  return found && `sha256:${found.codeSha256}`;
}
