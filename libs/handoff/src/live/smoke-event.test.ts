import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { findEvent, smokeEventPath } from "./smoke-event.ts";

const root = mkdtempSync(join(tmpdir(), "smoke-event-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function writeEvent(project: string, text: string): string {
  const path = smokeEventPath(root, project);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

it("gives the event as it is written", async () => {
  expect(await findEvent(writeEvent("orders", '{ "a": 1 }\n'))).toBe('{ "a": 1 }\n');
});

it("a function without an event has none", async () => {
  expect(await findEvent(smokeEventPath(root, "without"))).toBeUndefined();
});

it("an event that can't be read is an error, not an absent event", async () => {
  for (const path of [root, join(writeEvent("file", "{}"), "below")]) {
    await expect(findEvent(path)).rejects.toMatchObject({ code: "E_EVENT_UNREADABLE", value: path });
  }
});

it("an event that is not JSON is an error, not an absent event", async () => {
  await expect(findEvent(writeEvent("broken", "{ a: 1 }"))).rejects.toMatchObject({
    code: "E_EVENT_MALFORMED",
    value: "{ a: 1 }",
  });
});
