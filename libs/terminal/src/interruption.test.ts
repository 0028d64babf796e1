import { EventEmitter } from "node:events";
import type { Progress } from "@workspace/handoff";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listenForInterruption } from "./interruption.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function listen() {
  const written: string[] = [];
  const exited: unknown[] = [];
  const signals = new EventEmitter();
  const interruption = listenForInterruption({
    on: (signal, listener) => signals.on(signal, listener),
    exit: ((code) => exited.push(code)) as typeof process.exit,
    stderr: { write: (text: unknown) => written.push(String(text)) > 0 },
  });
  return { interruption, written, exited, send: (signal: string) => signals.emit(signal, signal) };
}

const step: Progress = { kind: "step", text: "builds" };
const waiting: Progress = { kind: "waitingForStack", stackName: "s", status: "UPDATE_IN_PROGRESS" };
const interrupted = { code: "E_INTERRUPTED", value: "SIGINT" };

describe("the first signal", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"])("%s aborts, and says so by a code", (signal) => {
    const { interruption, exited, send } = listen();
    send(signal);
    expect(interruption.signal.reason).toMatchObject({ code: "E_INTERRUPTED", value: signal });
    expect(exited).toEqual([]);
  });

  it("ends a wait, once it has been shown, and no step", () => {
    const { interruption, send } = listen();
    const shown: Progress[] = [];
    const onProgress = interruption.endWaits((progress) => shown.push(progress));
    onProgress(waiting);
    send("SIGINT");
    onProgress(step);
    expect(() => onProgress(waiting)).toThrow(expect.objectContaining(interrupted));
    expect(shown).toEqual([waiting, step, waiting]);
  });

  it("says what a second one does, where the command still runs", () => {
    const { written, send } = listen();
    send("SIGINT");
    vi.advanceTimersByTime(499);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(written).toEqual(["SIGINT: what is being moved is finished first; once more ends it at once\n"]);
  });
});

describe("a second signal", () => {
  it("is the same key press within a second", () => {
    const { exited, send } = listen();
    send("SIGINT");
    vi.advanceTimersByTime(1_000);
    send("SIGINT");
    expect(exited).toEqual([]);
  });

  it("ends the process after that, as the shell has it", () => {
    const { exited, send } = listen();
    send("SIGINT");
    vi.advanceTimersByTime(1_001);
    send("SIGTERM");
    expect(exited).toEqual([128 + 15]);
  });
});
