import {
  type FunctionConfiguration,
  LambdaClient,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
} from "@aws-sdk/client-lambda";
import { parseFunction, stages } from "@workspace/shared-config";
import { expect, it } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { listAliases, listVersions, waitUntilActive, waitUntilUpdated } from "./function-state.ts";

const fn = parseFunction("lambda-app", stages.dev, "x86_64");

const CodeSha256 = "0".repeat(64);

/** A function whose configuration is read as these, one after the other, and as the last one from then on. */
function readAs(...answers: readonly FunctionConfiguration[]) {
  const left = [...answers];
  const lambda = new LambdaClient({ region: "eu-central-1" });
  lambda.send = async () => ({ CodeSha256, ...(left.length > 1 ? left.shift() : left[0]) });
  return { lambda, clock: createManualClock() };
}

/** A version that is in these states, one after the other. */
function inStates(...states: readonly string[]) {
  return readAs(
    ...states.map((State) => ({ Version: "7", State: State as "Active", StateReason: "because" })),
  );
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

it.each<FunctionConfiguration>([
  { State: "Active", LastUpdateStatus: "InProgress", RevisionId: "b" },
  { State: "Pending", LastUpdateStatus: "Successful", RevisionId: "b" },
  { State: "Active", LastUpdateStatus: "Successful", RevisionId: "a" },
])("waits while the function is read as %j", async (busy) => {
  const done: FunctionConfiguration = { State: "Active", LastUpdateStatus: "Successful", RevisionId: "c" };
  expect(await waitUntilUpdated(readAs(busy, busy, done), fn, "a")).toMatchObject({ revisionId: "c" });
});

it("gives up on a function that is busy for ten minutes", async () => {
  const clients = readAs({ State: "Active", LastUpdateStatus: "InProgress" });
  await expect(waitUntilUpdated(clients, fn)).rejects.toMatchObject({ code: "E_FUNCTION_BUSY" });
  expect(clients.clock.monotonicMs()).toBeGreaterThanOrEqual(600_000);
});

it("lists versions and aliases to the last page", async () => {
  const lambda = new LambdaClient({ region: "eu-central-1" });
  lambda.send = async (command: unknown) => {
    if (command instanceof ListVersionsByFunctionCommand) {
      return command.input.Marker === "2"
        ? { Versions: [{ Version: "9", CodeSha256 }] }
        : { Versions: ["$LATEST", "10"].map((Version) => ({ Version, CodeSha256 })), NextMarker: "2" };
    }
    if (command instanceof ListAliasesCommand) {
      return command.input.Marker === "2"
        ? { Aliases: [{ Name: "live" }] }
        : { Aliases: [{ Name: "initial" }], NextMarker: "2" };
    }
    throw new Error("something else than a list was asked for");
  };
  expect((await listVersions({ lambda }, fn)).map(({ version }) => version)).toEqual(["9", "10"]);
  expect((await listAliases({ lambda }, fn)).map(({ name }) => name)).toEqual(["initial", "live"]);
});
