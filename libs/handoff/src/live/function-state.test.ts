import { LambdaClient } from "@aws-sdk/client-lambda";
import { parseFunction, stages } from "@workspace/shared-config";
import { expect, it } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { waitUntilActive } from "./function-state.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");

/** A version that is in these states, one after the other. */
function inStates(...states: readonly string[]) {
  const left = [...states];
  const lambda = new LambdaClient({ region: "eu-central-1" });
  lambda.send = async () => ({
    Version: "7",
    CodeSha256: "0".repeat(64),
    State: left.length > 1 ? left.shift() : left[0],
    StateReason: "because",
  });
  return { lambda, clock: createManualClock() };
}

it.each(["Active", "Inactive"])("waits until a version is %s", async (state) => {
  expect(await waitUntilActive(inStates("Pending", "Pending", state), fn, "7")).toMatchObject({ state });
});

it.each(["Failed", "Deactivating", "ActiveNonInvocable", "a state of tomorrow"])(
  "takes no version that is %s",
  async (state) => {
    await expect(waitUntilActive(inStates("Pending", state), fn, "7")).rejects.toMatchObject({
      code: "E_VERSION_NOT_ACTIVE",
      value: `${state}: because`,
    });
  },
);
