/** Virtual time: everything that happens is an event at a moment, and nothing happens in between. */
export interface Simulation {
  readonly nowMs: () => number;
  /** Runs `happen` after `delayMs`. */
  readonly after: (delayMs: number, happen: () => void) => void;
  /** Runs events, in order of time, until none is left. */
  readonly run: () => Promise<void>;
}

interface Event {
  readonly atMs: number;
  readonly happen: () => void;
}

const maxEvents = 50_000;

export function createSimulation(): Simulation {
  const queue: Event[] = [];
  let nowMs = 0;

  function takeNext(): Event | undefined {
    let first = 0;
    for (const [index, { atMs }] of queue.entries()) if (atMs < (queue[first]?.atMs ?? 0)) first = index;
    return queue.splice(first, 1)[0];
  }

  return {
    nowMs: () => nowMs,
    after: (delayMs, happen) => queue.push({ atMs: nowMs + delayMs, happen }),
    async run() {
      for (let count = 0; ; count += 1) {
        const event = takeNext();
        if (event === undefined) return;
        if (count === maxEvents) throw new Error(`still not at rest after ${maxEvents} events`);
        nowMs = event.atMs;
        event.happen();
        await settle();
      }
    },
  };
}

/** Lets every promise that can go on go on, until all wait for an event. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A sequence of numbers from 0 to 1 that a seed decides. @see https://en.wikipedia.org/wiki/Xorshift */
export function createRandom(seed: number): () => number {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A process that runs one command: it may be paused, killed, or have its clock set, at any moment. */
export interface Actor {
  readonly name: string;
  isDead: boolean;
  pausedUntilMs: number;
  /** What its wall clock is off by. */
  epochOffsetMs: number;
  /** Monotonic clocks have no common beginning. */
  readonly monotonicOriginMs: number;
}

export function createActor(name: string, random: () => number): Actor {
  return {
    name,
    isDead: false,
    pausedUntilMs: 0,
    epochOffsetMs: 0,
    monotonicOriginMs: Math.floor(random() * 1e9),
  };
}

/** Something that the actor itself notices: later while it is paused, never once it is dead. */
export function afterFor(simulation: Simulation, actor: Actor, delayMs: number, happen: () => void): void {
  simulation.after(delayMs, () => {
    if (actor.isDead) return;
    const pausedMs = actor.pausedUntilMs - simulation.nowMs();
    if (pausedMs > 0) afterFor(simulation, actor, pausedMs, happen);
    else happen();
  });
}
