import { describe, expect, it } from "vitest";
import { createLineProgress, createTerminalProgress, formatBytes } from "./progress.ts";

const megabyte = 1_000_000;

describe("createLineProgress", () => {
  it("tells of a large transfer by quarters, and of a small one at its end", () => {
    const lines: string[] = [];
    const progress = createLineProgress((line) => lines.push(line));
    const [large, small] = [progress.transfer("large", 100 * megabyte), progress.transfer("small", 100)];
    for (let at = 0; at < 100; at += 10) large.moved(10 * megabyte);
    small.moved(50);
    small.end("sent, 100 B");
    large.end("sent, 100.0 MB");
    expect(lines).toEqual([
      "large: 25 % of 100.0 MB",
      "large: 50 % of 100.0 MB",
      "large: 75 % of 100.0 MB",
      "small: sent, 100 B",
      "large: sent, 100.0 MB",
    ]);
  });
});

describe("createTerminalProgress", () => {
  it("keeps one line for all that moves, and writes what has happened above it", () => {
    const events: string[] = [];
    const status = {
      text: "",
      start: () => void events.push("start"),
      stop: () => void events.push("stop"),
    };
    const progress = createTerminalProgress(status, (line) => events.push(line));
    const [one, two] = [progress.transfer("one", 100), progress.transfer("two", 10)];
    one.moved(50);
    two.moved(1);
    expect(status.text).toBe("one 50 % · two 10 %");
    one.end("sent");
    expect(status.text).toBe("two 10 %");
    two.end("sent");
    expect(events).toEqual(["start", "start", "stop", "one: sent", "start", "stop", "two: sent"]);
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [52_745_833, "52.7 MB"],
  ])("%i is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
