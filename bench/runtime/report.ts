import type { App } from "./candidates.ts";
import type { ImageSizes } from "./image-size.ts";
import type { CycleFigures, PayloadName, StartFigures } from "./measure.ts";

export interface Figures {
  readonly date: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly kernel: string };
  readonly bun: string;
  readonly rounds: number;
  /** Lower quartiles of the rounds. */
  readonly starts: Readonly<Record<string, Partial<Record<App, StartFigures>>>>;
  /** Lower quartiles of the rounds. */
  readonly cycles: Readonly<Record<string, Readonly<Record<PayloadName, CycleFigures>>>>;
  readonly bytes: ImageSizes;
}

/** The engine's figure by another's; a name's unit is its last word. */
export function buildRatios({ starts, cycles, bytes }: Figures) {
  const init = (app: App, other: string) =>
    divide(starts.engine?.[app]?.initMs, starts[other]?.[app]?.initMs);
  const invoke = (figure: keyof CycleFigures, other: string) =>
    divide(cycles.engine?.["128 B"][figure], cycles[other]?.["128 B"][figure]);
  return {
    initEchoVsRic: init("echo", "node 24 + ric"),
    initDepsVsRic: init("deps", "node 24 + ric"),
    initDepsVsCompiled: init("deps", "compiled"),
    initDepsVsPlainBun: init("deps", "bun + .jsc"),
    invokeP50VsRic: invoke("p50Us", "node 24 + ric"),
    invokeP99VsRic: invoke("p99Us", "node 24 + ric"),
    invokeP50VsFetch: invoke("p50Us", "bun + fetch"),
    invokeP50VsFloor: invoke("p50Us", "C floor"),
    imageMB: round(bytes.image / 1e6),
    editShare: round(bytes.app / bytes.image),
  };
}

function divide(part: number | undefined, whole: number | undefined): number {
  if (part === undefined || whole === undefined)
    throw new Error("a candidate that a ratio needs was not measured");
  return round(part / whole);
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** Markdown, which reads well on a terminal too. */
export function buildReport(figures: Figures): string {
  const { machine, starts, cycles, bytes } = figures;
  const names = [...new Set([...Object.keys(starts), ...Object.keys(cycles)])];
  const ms = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(1));
  const us = (value: CycleFigures | undefined) =>
    value === undefined
      ? "–"
      : `${value.p50Us.toFixed(0)} / ${value.p99Us.toFixed(0)} / ${value.cpuUs.toFixed(0)}`;
  const table = buildTable([
    [
      "",
      "init echo, ms",
      "init deps, ms",
      "its first invocation, ms",
      "cycle 128 B, µs: p50 / p99 / CPU",
      "64 KiB",
      "6 MB",
    ],
    ...names.map((name) => [
      name,
      ms(starts[name]?.echo?.initMs),
      ms(starts[name]?.deps?.initMs),
      ms(starts[name]?.deps?.firstMs),
      us(cycles[name]?.["128 B"]),
      us(cycles[name]?.["64 KiB"]),
      us(cycles[name]?.["6 MB"]),
    ]),
  ]);
  const ratios = buildTable([
    ["ratio", "value"],
    ...Object.entries(buildRatios(figures)).map(([name, value]) => [name, String(value)]),
  ]);
  const mb = (count: number) => `${(count / 1e6).toFixed(1)} MB`;
  return [
    `${figures.date.slice(0, 10)}, ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}, Bun ${figures.bun}, ${figures.rounds} interleaved rounds, lower quartiles`,
    table,
    `Image, compressed: glibc ${mb(bytes.glibc)}, engine ${mb(bytes.engine)}, app with dependencies ${mb(bytes.app)}`,
    ratios,
  ].join("\n\n");
}

function buildTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0), 3),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(" | ")} |`;
  return [
    line(header),
    `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
    ...rows.map(line),
  ].join("\n");
}
