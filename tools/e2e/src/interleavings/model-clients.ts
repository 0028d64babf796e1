import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { ECRClient } from "@aws-sdk/client-ecr";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SSMClient } from "@aws-sdk/client-ssm";
import type { HandoffClients } from "@workspace/handoff";
import { buildAwsError } from "./aws-answer.ts";
import { type Caller, type ModelWorld, modelRegion } from "./model-world.ts";
import type { Sequence } from "./sequence.ts";
import { type Actor, afterFor, type Simulation } from "./simulation.ts";

/** What goes wrong at one call of the sequence. */
export interface Disturbance {
  /** `PutParameter`, `StartStack` … */
  readonly operation: string;
  /** Which of the calls of this operation, over all commands, from 0. */
  readonly nth: number;
  readonly kind:
    | "denied"
    | "throttled"
    /** Carried out, but the answer gets lost. */
    | "cut"
    /** Carried out twice, as when an answer gets lost and the SDK tries again. */
    | "repeated"
    /** Carried out as late as a request can be. */
    | "late"
    /** The process stands still after the call was sent. */
    | "pause"
    /** The process is killed; the call is carried out or not. */
    | "killBefore"
    | "killAfter"
    /** The wall clock is set. */
    | "clock"
    /** Just before, somebody puts other code into `$LATEST` by hand, asking no lease. */
    | "meddle";
  /** Of a pause, or of a jump of the clock. */
  readonly ms: number;
}

/** The longest that a request can be on its way; see `requestTimeoutMs` of the hand-off. */
const longestRequestMs = 8_000;

/** Carries calls to the world and back in virtual time. */
export interface Network {
  readonly call: (
    actor: Actor,
    by: Caller,
    operation: string,
    input: object,
    signal?: AbortSignal,
  ) => Promise<object>;
}

export function createNetwork(
  simulation: Simulation,
  world: ModelWorld,
  random: () => number,
  { disturbances, laggingShare }: Pick<Sequence, "disturbances" | "laggingShare">,
  onKilled: (actor: Actor) => void,
): Network {
  const calls = new Map<string, number>();
  const latencyMs = () => 1 + Math.floor(random() ** 3 * 1_500);
  const kill = (actor: Actor) => {
    actor.isDead = true;
    onKilled(actor);
  };

  return {
    call(actor, by, operation, input, signal) {
      const count = calls.get(operation) ?? 0;
      calls.set(operation, count + 1);
      const disturbance = disturbances.find(({ operation: at, nth }) => at === operation && nth === count);
      const kind = disturbance?.kind;
      return new Promise<object>((resolve, reject) => {
        if (signal?.aborted) return reject(buildAwsError("AbortError"));
        const onAbort = () => reject(buildAwsError("AbortError"));
        signal?.addEventListener("abort", onAbort, { once: true });
        const answer = (settle: () => void) =>
          afterFor(simulation, actor, latencyMs(), () => {
            signal?.removeEventListener("abort", onAbort);
            settle();
          });
        if (kind === "clock") actor.epochOffsetMs += disturbance?.ms ?? 0;
        if (kind === "pause") actor.pausedUntilMs = simulation.nowMs() + (disturbance?.ms ?? 0);
        if (kind === "killBefore") kill(actor);
        if (kind === "denied") return answer(() => reject(buildAwsError("AccessDeniedException")));
        if (kind === "throttled") return answer(() => reject(buildAwsError("ThrottlingException")));

        simulation.after(kind === "late" ? longestRequestMs : latencyMs(), () => {
          if (actor.isDead) return;
          if (kind === "meddle") world.meddle();
          const lags = laggingShare > 0 && random() < laggingShare;
          const carryOut = () => attempt(() => world.carryOut(by, operation, input, lags));
          let outcome = carryOut();
          if (kind === "repeated") outcome = carryOut();
          if (kind === "killAfter") kill(actor);
          answer(() => {
            if (kind === "cut") reject(buildAwsError("TimeoutError"));
            else if ("error" in outcome) reject(outcome.error);
            else resolve(outcome.output);
          });
        });
      });
    },
  };
}

function attempt(carryOut: () => object): { readonly output: object } | { readonly error: unknown } {
  try {
    return { output: carryOut() };
  } catch (error) {
    return { error };
  }
}

/** The hand-off's clients for one actor: real commands go in, and the model's world answers. */
export function buildModelClients(
  simulation: Simulation,
  network: Network,
  actor: Actor,
  by: Caller,
  isProvenDead: HandoffClients["isProvenDead"],
): HandoffClients {
  let ids = 0;
  const client = {
    config: { region: async () => modelRegion },
    send: (command: { readonly input: object }, options?: { readonly abortSignal?: AbortSignal }) =>
      network.call(
        actor,
        by,
        command.constructor.name.replace(/Command$/, ""),
        command.input,
        options?.abortSignal,
      ),
  };
  return {
    ssm: client as unknown as SSMClient,
    lambda: client as unknown as LambdaClient,
    invoker: client as unknown as LambdaClient,
    ecr: client as unknown as ECRClient,
    cloudformation: client as unknown as CloudFormationClient,
    cloudwatch: client as unknown as HandoffClients["cloudwatch"],
    download: async () => JSON.stringify({ architecture: "amd64" }),
    clock: {
      monotonicMs: () => actor.monotonicOriginMs + simulation.nowMs(),
      epochMs: () => 1_700_000_000_000 + actor.epochOffsetMs + simulation.nowMs(),
      wait: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const end = () => {
            signal?.removeEventListener("abort", end);
            resolve();
          };
          signal?.addEventListener("abort", end, { once: true });
          afterFor(simulation, actor, ms, end);
        }),
    },
    randomId: () => `${actor.name}#${++ids}`,
    self: { user: "model", host: actor.name, pid: 1, instance: actor.name },
    isProvenDead,
  };
}
