import { type CodedError, initialTag } from "@workspace/shared-config";
import { buildContent, initialDigest, lastContent, unhealthyContent } from "./contents.ts";
import { buildModelClients, createNetwork } from "./model-clients.ts";
import { type ModelCommand, type Protocol, runModelCommand } from "./model-command.ts";
import { createModelWorld, fns, liveDigestOf, type ModelStage, type ModelWorld } from "./model-world.ts";
import type { Sequence } from "./sequence.ts";
import { type Actor, createActor, createRandom, createSimulation } from "./simulation.ts";

type Outcome = { readonly kind: "done" } | { readonly kind: "failed"; readonly error: unknown };

interface Started {
  readonly command: ModelCommand;
  readonly actor: Actor;
  /** `undefined` as long as it runs, and for ever where it was killed. */
  outcome: Outcome | undefined;
}

/** Runs the sequence, then brings everything to an end as a person would. @returns what broke a promise, in sentences */
export async function runSequence(sequence: Sequence, handoff: Protocol): Promise<readonly string[]> {
  const random = createRandom(sequence.seed);
  const simulation = createSimulation();
  const world = createModelWorld(simulation, random);
  const disturbed: Started[] = [];
  const repeated: Started[] = [];
  const network = createNetwork(simulation, world, random, sequence, repeat);
  const quiet = createNetwork(simulation, world, random, { disturbances: [], laggingShare: 0 }, () => {});
  let actors = 0;

  // Who has died is known at once, where it can be known at all.
  const isProvenDead = ({ instance }: { instance: string }) =>
    sequence.deathIsProvable && disturbed.some(({ actor }) => actor.name === instance && actor.isDead);

  function start(command: ModelCommand, over = quiet): Started {
    const actor = createActor(`${command.kind}-${++actors}`, random);
    const by = { name: actor.name, kind: command.kind };
    const clients = buildModelClients(simulation, over, actor, by, isProvenDead);
    const started: Started = { command, actor, outcome: undefined };
    runModelCommand(command, handoff, clients, (operation, input, signal) =>
      over.call(actor, by, operation, input, signal),
    ).then(
      () => {
        started.outcome = { kind: "done" };
      },
      (error: unknown) => {
        started.outcome = { kind: "failed", error };
      },
    );
    return started;
  }

  /** Who sees a command die starts it again, whatever else is under way. */
  function repeat(actor: Actor): void {
    simulation.after(1_000, () => {
      const killed = disturbed.find((started) => started.actor === actor);
      if (killed !== undefined && sequence.runsAgain) repeated.push(start(withoutFailure(killed.command)));
    });
  }

  /** Runs a command with nothing else under way. */
  async function runAlone(command: ModelCommand): Promise<Outcome> {
    const agreedBefore = latestIsLive(world, command.stage);
    const started = start(command);
    await simulation.run();
    if (started.outcome === undefined) throw new Error(`${command.kind} did not end`);
    if (started.outcome.kind === "failed" && agreedBefore && !latestIsLive(world, command.stage)) {
      world.violate(`P2: ${command.kind} failed on ${command.stage} and left other code in $LATEST`);
    }
    return started.outcome;
  }

  for (const command of sequence.before) {
    const outcome = await runAlone(command);
    const fails =
      (command.kind === "deploy" && command.fails) ||
      (command.kind === "release" && command.content === unhealthyContent);
    if ((outcome.kind === "failed") !== fails) {
      world.violate(`undisturbed, ${command.kind} ended as ${JSON.stringify(outcome)}`);
    }
  }

  let startMs = 0;
  for (const { command, afterMs } of sequence.commands) {
    startMs += afterMs;
    simulation.after(startMs, () => {
      disturbed.push(start(command, network));
    });
  }
  if (sequence.tagDeletedAtMs !== undefined) {
    simulation.after(sequence.tagDeletedAtMs, () => world.ssm.remove(fns.dev.imageTagParameter));
  }
  await simulation.run();

  for (const { outcome } of disturbed) {
    if (outcome?.kind === "failed" && !isForeseen(outcome.error)) {
      world.violate(`a command failed as nothing foresees: ${describeFailure(outcome.error)}`);
    }
  }
  for (const { command, outcome } of repeated) {
    if (outcome === undefined) world.violate(`P5: ${command.kind}, killed and run again, did not end`);
    else if (outcome.kind === "failed" && !mayFailBeside(outcome.error)) {
      world.violate(`P5: ${command.kind}, killed and run again, failed: ${describeFailure(outcome.error)}`);
    }
  }
  for (const stage of ["dev", "prod"] as const) {
    const killed = disturbed.findLast(({ actor, command }) => actor.isDead && command.stage === stage);
    if (killed !== undefined && sequence.runsAgain) await finishKilled(killed.command);
    if (stage === "dev" || world.cloudformation.find(fns.prod.stackName) !== undefined) await finish(stage);
  }
  return world.violations;

  /** P5: the next run of a killed command does what was left. */
  async function finishKilled(command: ModelCommand): Promise<void> {
    const outcome = await runAlone(withoutFailure(command));
    if (outcome.kind === "failed") {
      if (!mayFailAlone(outcome.error)) {
        world.violate(`P5: ${command.kind}, killed and run again, failed: ${describeFailure(outcome.error)}`);
      }
      return;
    }
    const fn = fns[command.stage];
    if (command.kind === "release") {
      const { tag, digest } = buildContent(command.content);
      if (world.ssm.newest(fn.imageTagParameter)?.Value !== tag) world.violate(`P5: ${tag} is not published`);
      if (liveDigestOf(world.lambda.find(fn.functionName)) !== digest)
        world.violate(`P5: ${tag} is not live`);
    }
    if (command.kind === "rollback") {
      const once = world.ssm.newest(fn.imageTagParameter)?.Value;
      await runAlone(command);
      const twice = world.ssm.newest(fn.imageTagParameter)?.Value;
      if (once !== twice) world.violate(`P5: rollback goes to ${once}, and run again to ${twice}`);
    }
  }

  /** P2: a deploy and a release, undisturbed, do what they do on any other day, whatever happened before. */
  async function finish(stage: ModelStage): Promise<void> {
    const memoryMiB =
      sequence.seed % 2 === 0
        ? 1024
        : (world.cloudformation.find(fns[stage].stackName)?.template?.memoryMiB ?? 512);
    const deploy: ModelCommand = { kind: "deploy", stage, memoryMiB, fails: false };
    let outcome = await runAlone(deploy);
    if (outcome.kind === "failed" && isCoded(outcome.error, "E_TAG_VANISHED")) {
      // As the error says.
      const to = (outcome.error as CodedError).value as never;
      const again = await runAlone({ kind: "rollback", stage, to });
      if (again.kind === "failed")
        world.violate(`rollback --to ${to} failed: ${describeFailure(again.error)}`);
      outcome = await runAlone(deploy);
    }
    if (outcome.kind === "failed") world.violate(`the last deploy failed: ${describeFailure(outcome.error)}`);
    checkAtRest(world, stage, memoryMiB);

    const release = await runAlone({ kind: "release", stage, content: lastContent, canary: false });
    if (release.kind === "failed")
      world.violate(`the last release failed: ${describeFailure(release.error)}`);
    checkAtRest(world, stage, memoryMiB);
    const live = liveDigestOf(world.lambda.find(fns[stage].functionName));
    if (live !== buildContent(lastContent).digest)
      world.violate(`P2: ${live} is live after the last release`);
  }
}

/** P2, once nothing is under way: published, live, deployed and `$LATEST` agree. */
function checkAtRest(world: ModelWorld, stage: ModelStage, memoryMiB: number): void {
  const fn = fns[stage];
  const found = world.lambda.find(fn.functionName);
  const live = found?.versions.find(({ version }) => version === found.live.version);
  const { status } = world.cloudformation.find(fn.stackName) ?? {};
  const expected = world.publishedDigestOf(fn) ?? initialDigest;
  const tag = world.ssm.newest(fn.imageTagParameter)?.Value ?? initialTag;
  const at = `at rest on ${stage}`;
  if (liveDigestOf(found) !== expected)
    world.violate(`P2: ${at}, ${tag} is published and ${liveDigestOf(found)} live`);
  if (`sha256:${found?.latest.codeSha256}` !== expected) world.violate(`P2: ${at}, $LATEST has other code`);
  if (Object.keys(found?.live.weights ?? {}).length > 0) world.violate(`P2: ${at}, a canary is left`);
  if (live?.memoryMiB !== memoryMiB) world.violate(`${at}, ${live?.memoryMiB} MiB are live`);
  if (!status?.endsWith("_COMPLETE")) world.violate(`${at}, the stack is ${status}`);
}

function withoutFailure(command: ModelCommand): ModelCommand {
  return command.kind === "deploy" ? { ...command, fails: false } : command;
}

function latestIsLive(world: ModelWorld, stage: ModelStage): boolean {
  const found = world.lambda.find(fns[stage].functionName);
  return found === undefined || `sha256:${found.latest.codeSha256}` === liveDigestOf(found);
}

function isCoded(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Failures that a command may end with where nothing disturbs it. */
function mayFailAlone(error: unknown): boolean {
  return isCoded(
    error,
    "E_FUNCTION_MISSING",
    "E_IMAGE_IS_INDEX",
    "E_IMAGE_MISSING",
    "E_NOTHING_TO_PROMOTE",
    "E_REPOSITORY_MISSING",
    "E_ROLLBACK_TARGET_MISSING",
    "E_SMOKE_FAILED",
    "E_TAG_VANISHED",
  );
}

/** Failures that others may cause, by what they do or by what they leave. */
function mayFailBeside(error: unknown): boolean {
  return mayFailAlone(error) || isCoded(error, "E_CHANGED_OUTSIDE", "E_LEASE_HELD", "E_TAG_RACE");
}

/** A disturbed command may fail with a code, or with what AWS answered: not with what a mistake here throws. */
function isForeseen(error: unknown): boolean {
  return (
    error instanceof Error &&
    !["Error", "RangeError", "ReferenceError", "SyntaxError", "TypeError"].includes(error.name)
  );
}

function describeFailure(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
