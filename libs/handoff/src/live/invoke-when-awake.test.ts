import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { invokeWhenAwake } from "./invoke-when-awake.ts";

/** A function that answers with these errors, one after the other, and then well; and a clock that runs by waits. */
function asleep(...errors: readonly string[]) {
  const left = [...errors];
  const invoker = new LambdaClient({ region: "eu-central-1" });
  invoker.send = async () => {
    const name = left.shift();
    if (name !== undefined) throw Object.assign(new Error(name), { name });
    return { StatusCode: 200 };
  };
  const clock = createManualClock();
  return { clients: { invoker, clock }, left, elapsedMs: clock.monotonicMs };
}

const command = new InvokeCommand({ FunctionName: "lambda-app-dev" });

it("asks again while the function wakes up, and while too many run", async () => {
  const { clients, elapsedMs } = asleep(
    "CodeArtifactUserPendingException",
    "ResourceConflictException",
    "TooManyRequestsException",
  );
  expect(await invokeWhenAwake(clients, command)).toEqual({ StatusCode: 200 });
  expect(elapsedMs()).toBe(6_000);
});

it("gives up after three minutes, with what Lambda said last", async () => {
  const { clients, left, elapsedMs } = asleep(
    ...Array.from({ length: 200 }, () => "ResourceNotReadyException"),
  );
  await expect(invokeWhenAwake(clients, command)).rejects.toThrow("ResourceNotReadyException");
  expect(elapsedMs()).toBe(180_000);
  expect(left.length).toBeGreaterThan(0);
});

it("fails at once with any other error", async () => {
  const { clients, elapsedMs } = asleep("AccessDeniedException");
  await expect(invokeWhenAwake(clients, command)).rejects.toThrow("AccessDeniedException");
  expect(elapsedMs()).toBe(0);
});
