import { type CallAt, type FaultKind, faultKinds, startFaultProxy } from "./fault-proxy.ts";
import type { FaultWorld } from "./fault-world.ts";
import { describeEnd, findBrokenPromises, findUnkept } from "./promises.ts";
import type { Scenario } from "./scenarios.ts";

/** One cell of the matrix: a fault of a kind, at a call. */
export interface Cell {
  readonly at: CallAt;
  readonly kind: FaultKind;
}

/** What was tried, and what broke, in sentences. */
export interface Tried extends Cell {
  readonly scenario: string;
  readonly violations: readonly string[];
}

/** What an undisturbed run does: the names of its calls in order, and the state that it ends in. */
interface Undisturbed {
  readonly calls: readonly string[];
  readonly end: string;
}

/** Runs a scenario's command without a fault. */
async function runUndisturbed(world: FaultWorld, scenario: Scenario): Promise<Undisturbed> {
  const opened = await world.open(scenario);
  const proxy = await startFaultProxy(opened.endpoint);
  try {
    const { exitCode, output } = await opened.start(proxy.endpoint).ended;
    if (exitCode !== 0) throw new Error(`${scenario.name}, undisturbed, exited with ${exitCode}\n${output}`);
    const observed = await opened.observe();
    const unkept = findUnkept(observed);
    if (unkept.length > 0) throw new Error(`${scenario.name}, undisturbed: ${unkept.join("; ")}`);
    return { calls: proxy.calls().map(({ name }) => name), end: describeEnd(observed) };
  } finally {
    await proxy.close();
    await opened.close();
  }
}

/** Gives `undefined` where the run didn't come to the call: a poll that had its answer sooner this time. */
async function tryFault(
  world: FaultWorld,
  scenario: Scenario,
  undisturbed: Undisturbed,
  { at, kind }: Cell,
): Promise<Tried | undefined> {
  const violations: string[] = [];
  const opened = await world.open(scenario);
  const proxy = await startFaultProxy(opened.endpoint);
  try {
    const before = await opened.observe();
    proxy.arm({ kind, at, kill: () => command.kill() });
    const command = opened.start(proxy.endpoint);
    const disturbed = await command.ended;
    if (!proxy.fired()) return undefined;
    const now = await opened.observe();
    violations.push(...findBrokenPromises(before, now));
    if (disturbed.exitCode === 0) violations.push(...findUnkept(now));

    proxy.arm(undefined);
    const again = await opened.start(proxy.endpoint).ended;
    if (again.exitCode !== 0) {
      violations.push(
        `P5: the next run exited with ${again.exitCode}\n${again.output}\nafter\n${disturbed.output}`,
      );
    } else {
      const end = await opened.observe();
      violations.push(...findBrokenPromises(before, end), ...findUnkept(end));
      if (describeEnd(end) !== undisturbed.end) {
        violations.push(
          `P5: the next run ends in ${describeEnd(end)}, an undisturbed one in ${undisturbed.end}`,
        );
      }
    }
    // Where one of the CDK's roles is refused, its CLI tries with the caller's own rights; AWS would refuse that too.
    if (at.name !== "query AssumeRole")
      violations.push(...opened.findMissingGrants().map((need) => `the command's role lacks ${need}`));
  } finally {
    await proxy.close();
    await opened.close();
  }
  return { scenario: scenario.name, at, kind, violations };
}

/** Of equal calls in a row, a poll's, the first and the last: those between them meet the same state. */
export function chooseCalls(calls: readonly string[]): CallAt[] {
  const seen = new Map<string, number>();
  return calls.flatMap((name, index) => {
    const occurrence = seen.get(name) ?? 0;
    seen.set(name, occurrence + 1);
    return name === calls[index - 1] && name === calls[index + 1] ? [] : [{ name, occurrence }];
  });
}

/** Every fault at every call; or a share of them, spread over the calls, with the kinds of faults in turn. */
export function chooseCells(calls: readonly CallAt[], share: number): Cell[] {
  const cells = calls.flatMap((at) => faultKinds.map((kind) => ({ at, kind })));
  if (share >= 1) return cells;
  const chosen = Array.from({ length: Math.ceil(cells.length * share) }, (_, pick) => {
    const call = Math.floor(pick / share / faultKinds.length);
    return cells[call * faultKinds.length + (pick % faultKinds.length)];
  });
  return chosen.flatMap((cell) => cell ?? []);
}

export interface MatrixProps {
  readonly scenarios: readonly Scenario[];
  /** Which of the calls and faults to try; `share` 1 is every one. @default 1 */
  readonly share?: number;
  readonly onTried: (tried: Tried) => void;
  /** Of a fault that no call met; it doesn't count. */
  readonly onUnmet?: (scenario: string, cell: Cell) => void;
}

/** Walks every call of every scenario with every fault; the worlds share the work. */
export async function runMatrix(
  worlds: readonly FaultWorld[],
  { scenarios, share = 1, onTried, onUnmet = () => {} }: MatrixProps,
): Promise<Tried[]> {
  const [first] = worlds;
  if (first === undefined) throw new Error("there is no world to try faults in");
  const all: Tried[] = [];
  for (const scenario of scenarios) {
    const undisturbed = await runUndisturbed(first, scenario);
    const cells = chooseCells(chooseCalls(undisturbed.calls), share);
    const work = async (world: FaultWorld) => {
      for (let cell = cells.shift(); cell !== undefined; cell = cells.shift()) {
        const { at, kind } = cell;
        const tried = await tryFault(world, scenario, undisturbed, cell).catch((error: Error): Tried => {
          return { scenario: scenario.name, at, kind, violations: [`not known: ${error.stack}`] };
        });
        if (tried === undefined) {
          onUnmet(scenario.name, cell);
          continue;
        }
        onTried(tried);
        all.push(tried);
      }
    };
    await Promise.all(worlds.map(work));
  }
  return all;
}
