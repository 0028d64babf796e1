import fc from "fast-check";
import { healthyContents, indexContent, unhealthyContent } from "./contents.ts";
import type { Disturbance } from "./model-clients.ts";
import type { ModelCommand } from "./model-command.ts";

/** One run of the model, whole: the same sequence always gives the same events. */
export interface Sequence {
  /** Commands that run one after the other, undisturbed, before the others start. */
  readonly before: readonly ModelCommand[];
  readonly commands: readonly StartedCommand[];
  readonly disturbances: readonly Disturbance[];
  /** How many of the reads show what was before the last write, where that was just now: 0 to 1. */
  readonly laggingShare: number;
  /** Somebody deletes the published tag by hand. */
  readonly tagDeletedAtMs: number | undefined;
  /** Whether a killed command's death can be proven, as on the machine that it ran on. */
  readonly deathIsProvable: boolean;
  /** Whether somebody runs a killed command again. */
  readonly runsAgain: boolean;
  readonly seed: number;
}

export interface StartedCommand {
  readonly command: ModelCommand;
  readonly afterMs: number;
}

const stage = fc.constantFrom("dev" as const, "dev" as const, "dev" as const, "prod" as const);

const command: fc.Arbitrary<ModelCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("release" as const),
      stage,
      content: fc.constantFrom(...healthyContents, ...healthyContents, unhealthyContent, indexContent),
      canary: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rollback" as const), stage }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("deploy" as const),
      stage,
      memoryMiB: fc.constantFrom(256, 512),
      fails: fc.nat(3).map((number) => number === 0),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "promote", stage: "prod" } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("prune" as const), stage }) },
);

const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  operation: fc.constantFrom(
    "BatchDeleteImage",
    "DeleteFunction",
    "DescribeImages",
    "DescribeStacks",
    "GetAlias",
    "GetFunctionConfiguration",
    "GetMetricData",
    "GetParameter",
    "GetParameter",
    "Invoke",
    "PublishVersion",
    "PushImage",
    "PutImage",
    "PutParameter",
    "PutParameter",
    "StartStack",
    "UpdateAlias",
    "UpdateFunctionCode",
  ),
  // Later ones are many only of what is called often.
  nth: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(40) }),
  kind: fc.constantFrom<Disturbance["kind"]>(
    "denied",
    "throttled",
    "cut",
    "repeated",
    "late",
    "pause",
    "pause",
    "killBefore",
    "killAfter",
    "clock",
    "meddle",
  ),
  ms: fc.constantFrom(2_000, 20_000, 40_000, 70_000, 200_000),
});

const deployed = { kind: "deploy", stage: "dev", memoryMiB: 512, fails: false } as const;
const deployedProd: ModelCommand = { kind: "deploy", stage: "prod", memoryMiB: 512, fails: false };
const released = (content: number): ModelCommand => ({
  kind: "release",
  stage: "dev",
  content,
  canary: false,
});

export const sequences: fc.Arbitrary<Sequence> = fc.record({
  before: fc.constantFrom<readonly ModelCommand[]>(
    [],
    [deployed],
    [deployed, released(1)],
    [deployed, released(1), released(2)],
    [deployed, released(1), { ...deployed, memoryMiB: 256, fails: true }],
    [deployed, released(1), deployed, released(2), released(3)],
    [deployed, released(1), released(unhealthyContent)],
    [deployed, deployedProd, released(1), deployed, released(2), { kind: "promote", stage: "prod" }],
  ),
  commands: fc.array(fc.record({ command, afterMs: fc.constantFrom(0, 500, 5_000, 30_000, 80_000) }), {
    minLength: 1,
    maxLength: 6,
  }),
  disturbances: fc.array(disturbance, { maxLength: 6 }),
  laggingShare: fc.constantFrom(0, 0, 0.4),
  tagDeletedAtMs: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.nat(60_000)),
  deathIsProvable: fc.boolean(),
  runsAgain: fc.boolean(),
  seed: fc.nat(),
});
