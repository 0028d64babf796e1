import { type FaultKind, faultKinds, startFaultProxy } from "./fault-proxy.ts";
import type { FaultWorld } from "./fault-world.ts";
import { describeEnd, findBrokenPromises, findUnkept } from "./promises.ts";
import type { Scenario } from "./scenarios.ts";

/** One cell of the matrix: what was tried, and what broke, in sentences. */
export interface Tried {
  readonly scenario: string;
  readonly call: string;
  readonly at: number;
  readonly kind: FaultKind;
  readonly violations: readonly string[];
}

/** What an undisturbed run does: the calls in order, and the state that it ends in. */
interface Undisturbed {
  readonly calls: readonly string[];
  readonly end: string;
}

/** Runs a scenario's command without a fault. */
async function runUndisturbed(world: FaultWorld, scenario: Scenario): Promise<Undisturbed> {
  const opened = await world.open(scenario);
  const proxy = await startFaultProxy(opened.endpoint);
  try {
    const { exitCode, output } = await opened.start(scenario.argv, proxy.endpoint).ended;
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

async function tryFault(
  world: FaultWorld,
  scenario: Scenario,
  undisturbed: Undisturbed,
  at: number,
  kind: FaultKind,
): Promise<Tried> {
  const violations: string[] = [];
  const opened = await world.open(scenario);
  const proxy = await startFaultProxy(opened.endpoint);
  try {
    const before = await opened.observe();
    proxy.arm({ kind, at, kill: () => command.kill() });
    const command = opened.start(scenario.argv, proxy.endpoint);
    const disturbed = await command.ended;
    const now = await opened.observe();
    violations.push(...findBrokenPromises(before, now));
    if (disturbed.exitCode === 0) violations.push(...findUnkept(now));

    proxy.arm(undefined);
    const again = await opened.start(scenario.argv, proxy.endpoint).ended;
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
  } finally {
    await proxy.close();
    await opened.close();
  }
  return { scenario: scenario.name, call: undisturbed.calls[at] ?? "", at, kind, violations };
}

/** Of equal calls in a row, a poll's, the first and the last: those between them meet the same state. */
export function chooseCalls(calls: readonly string[]): number[] {
  return calls.flatMap((name, index) =>
    name === calls[index - 1] && name === calls[index + 1] ? [] : [index],
  );
}

/** Every fault at every call; or a share of them, spread over the calls, with the kinds of faults in turn. */
export function chooseCells(calls: readonly number[], share: number): { at: number; kind: FaultKind }[] {
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
}

/** Walks every call of every scenario with every fault. */
export async function runMatrix(
  world: FaultWorld,
  { scenarios, share = 1, onTried }: MatrixProps,
): Promise<Tried[]> {
  const all: Tried[] = [];
  for (const scenario of scenarios) {
    const undisturbed = await runUndisturbed(world, scenario);
    for (const { at, kind } of chooseCells(chooseCalls(undisturbed.calls), share)) {
      const tried = await tryFault(world, scenario, undisturbed, at, kind);
      onTried(tried);
      all.push(tried);
    }
  }
  return all;
}
